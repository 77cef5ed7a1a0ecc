package lru

// s3fifo is S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi, SOSP 2023): a tenth for what is
// new, the rest for what was asked for twice more there or came back soon, and names of
// what left.
type s3fifo struct {
	lists
	capacity, small int
	freq            []uint8
}

const (
	s3Small = iota + 1
	s3Main
	s3Ghost
)

func newS3FIFO(capacity, keys int) reference {
	return &s3fifo{newLists(keys), capacity, max(1, capacity/10), make([]uint8, keys)}
}

func (r *s3fifo) ask(key int32) bool {
	list := uint8(s3Small)
	switch r.in[key] {
	case s3Small, s3Main:
		r.freq[key] = min(3, r.freq[key]+1)
		return true
	case s3Ghost:
		r.pull(key)
		list = s3Main
	}
	for r.len[s3Small]+r.len[s3Main] >= r.capacity {
		r.evict()
	}
	r.freq[key] = 0
	r.push(list, key)
	return false
}

func (r *s3fifo) evict() {
	if r.len[s3Small] < r.small && r.len[s3Main] > 0 {
		r.evictMain()
		return
	}
	for r.len[s3Small] > 0 {
		key := r.oldest(s3Small)
		if r.freq[key] <= 1 {
			r.move(s3Ghost, key)
			if r.len[s3Ghost] > max(1, r.capacity-r.small) {
				r.pop(s3Ghost)
			}
			return
		}
		r.freq[key] = 0
		r.move(s3Main, key)
		if r.len[s3Main] > r.capacity-r.small {
			break
		}
	}
	r.evictMain()
}

func (r *s3fifo) evictMain() {
	for {
		key := r.oldest(s3Main)
		if r.freq[key] == 0 {
			r.pull(key)
			return
		}
		r.freq[key]--
		r.move(s3Main, key)
	}
}
