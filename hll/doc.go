// Package hll estimates the number of distinct keys in fixed memory.
package hll
