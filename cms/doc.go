// Package cms counts how often keys occur, in fixed memory. Estimates are never
// below the truth.
package cms
