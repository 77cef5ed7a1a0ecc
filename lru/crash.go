package lru

import (
	"errors"
	"fmt"
	"runtime"
)

// ErrLoadPanic says that a load that others had started did not return: it
// panicked, or called runtime.Goexit. The call that started it gets that itself.
var ErrLoadPanic = errors.New("lru: load did not return")

// crash is how a function of the user ended that did not return.
type crash struct {
	panicked any // nil after runtime.Goexit
}

// catch runs f, and stores in c how it crashed if it did. After runtime.Goexit
// nothing runs any more but what was deferred.
func catch(c **crash, f func()) {
	returned := false
	defer func() {
		if !returned {
			*c = &crash{recover()}
		}
	}()
	f()
	returned = true
}

// raise ends the calling goroutine, which started the load, in the same way.
func (c *crash) raise() {
	if c.panicked == nil {
		runtime.Goexit()
	}
	panic(c.panicked)
}

// failure returns the error for those that wait for a load which others started.
func (c *crash) failure() error {
	switch cause := c.panicked.(type) {
	case nil:
		return fmt.Errorf("%w: it called runtime.Goexit", ErrLoadPanic)
	case error:
		return fmt.Errorf("%w: %w", ErrLoadPanic, cause)
	}
	return fmt.Errorf("%w: %v", ErrLoadPanic, c.panicked)
}
