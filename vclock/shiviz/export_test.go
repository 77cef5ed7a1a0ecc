package shiviz

// AppendEvent writes an event that no Process made.
var AppendEvent = appendEvent
