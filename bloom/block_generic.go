package bloom

func (b *blocks) contains(h uint64) bool { return containsGo(b, h) }

func (b *blocks) add(h uint64) bool { return addGo(b, h) }

func (b *blocks) containsBatch(out []bool, hs []uint64) (present int) {
	for i, h := range hs {
		out[i] = containsGo(b, h)
		if out[i] {
			present++
		}
	}
	return present
}

func (b *blocks) addBatch(hs []uint64) {
	for _, h := range hs {
		addGo(b, h)
	}
}
