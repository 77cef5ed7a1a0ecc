package quorum

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNoQuorum says that so many replicas failed that the level could not be
	// met any more.
	ErrNoQuorum = errors.New("no quorum")

	// ErrUnavailable says that the level could not have been met, so that
	// nothing was sent: too few nodes, zones or healthy replicas.
	ErrUnavailable = errors.New("unavailable")

	// ErrClosed says that the coordinator was closed before the operation began.
	ErrClosed = errors.New("quorum: coordinator is closed")

	// ErrDown is the error of a replica that was not asked because the health
	// function calls it down.
	ErrDown = errors.New("node is down")
)

// NodeError is why one replica failed.
type NodeError struct {
	Node string
	Err  error
}

// Error returns "node: error".
func (e NodeError) Error() string { return e.Node + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e NodeError) Unwrap() error { return e.Err }

// Error is how an operation failed, replica by replica. [errors.Is] finds one
// of four reasons in it, the first that holds: [ErrUnavailable], the error that
// a replica marked [Permanent], [ErrNoQuorum], or the error of the context
// (then also its cause); and besides, every replica's error.
type Error struct {
	Op      string      // "read", "write"
	Acked   []string    // replicas that answered, stand-ins included
	Failed  []NodeError // replicas that failed, or were down
	Pending []string    // replicas that had not answered yet

	reason error
	cause  error // context.Cause, where it says more than reason
}

// Error names the operation, the reason and every replica.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "quorum: %s: %v", e.Op, e.reason)
	if e.cause != nil {
		fmt.Fprintf(&b, " (%v)", e.cause)
	}
	list := func(title string, names []string) {
		if len(names) > 0 {
			fmt.Fprintf(&b, "; %s %s", title, strings.Join(names, ", "))
		}
	}
	list("acked", e.Acked)
	for i, f := range e.Failed {
		if i == 0 {
			b.WriteString("; failed ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(f.Error())
	}
	list("pending", e.Pending)
	return b.String()
}

// Is reports whether target is the reason.
func (e *Error) Is(target error) bool { return e.reason == target }

// Unwrap returns the reason, its cause and the errors of the replicas.
func (e *Error) Unwrap() []error {
	errs := make([]error, 0, 2+len(e.Failed))
	for _, err := range []error{e.reason, e.cause} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	for _, f := range e.Failed {
		errs = append(errs, f)
	}
	return errs
}

// Indeterminate reports whether this is a write that may still take effect, or
// has on some replicas: one acked, has not answered, or failed in a way that
// does not say what it did (a lost acknowledgment looks like any failure).
// False means that no replica has it nor will: nothing was sent, or whoever
// was asked refused by a [Permanent] error.
func (e *Error) Indeterminate() bool {
	if e.Op != opWrite {
		return false
	}
	if len(e.Acked) > 0 || len(e.Pending) > 0 {
		return true
	}
	for _, f := range e.Failed {
		if f.Err != ErrDown && !isPermanent(f.Err) {
			return true
		}
	}
	return false
}

// Permanent marks the error of a replica as one that no other replica can make
// good, such as a refused argument: it ends the operation at once. In a write
// it also says that this replica did not take the value. The error of the
// operation wraps err. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanent{err}
}

type permanent struct{ err error }

func (p *permanent) Error() string { return p.err.Error() }
func (p *permanent) Unwrap() error { return p.err }

func isPermanent(err error) bool {
	_, ok := errors.AsType[*permanent](err)
	return ok
}

// contextReason returns what ended the context, and why if that says more.
func contextReason(ctx context.Context) (reason, cause error) {
	reason, cause = ctx.Err(), context.Cause(ctx)
	if cause == reason {
		cause = nil
	}
	return reason, cause
}
