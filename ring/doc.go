// Package ring places keys on nodes by consistent hashing: which server holds a
// key, which others hold its copies, and what moves when servers come and go.
package ring
