package gateway

import (
	"bytes"
	"context"
	"os"
	"time"
)

// watch reads the file of rules again and again, and puts it into force when it has
// changed. A bad file changes nothing, and is said once. What is compared is the text,
// not the time of the last change, of which some file systems know the second only.
func (g *gateway) watch(ctx context.Context) {
	if g.rules == "" {
		return
	}
	tick := time.NewTicker(g.poll)
	defer tick.Stop()
	last, missing := g.text, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		text, err := os.ReadFile(g.rules)
		if err != nil {
			if !missing {
				g.log.Printf("rules: %v; the old rules stay", err)
			}
			missing = true
			continue
		}
		if missing = false; bytes.Equal(text, last) {
			continue
		}
		last = text
		if err := g.limits.load(text); err != nil {
			g.log.Printf("rules: %v; the old rules stay", err)
			continue
		}
		g.log.Printf("rules: read again, %d in force", g.limits.count())
	}
}
