package quorum

import "time"

// HistogramError returns the bounds of the bucket that counts d.
func HistogramBucket(d time.Duration) (lo, hi time.Duration) {
	i := bucketOf(d)
	return edge(i), edge(i + 1)
}
