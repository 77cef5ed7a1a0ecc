module github.com/distkit/distkit/bench

go 1.26.0

require (
	github.com/cespare/xxhash/v2 v2.3.0
	github.com/dchest/siphash v1.2.3
	github.com/distkit/distkit v0.0.0
)

require golang.org/x/exp v0.0.0-20261113113407-e3970619a1a4 // indirect

replace github.com/distkit/distkit => ../
