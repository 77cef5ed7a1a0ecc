package hash64

// Salts of [Mix], one per structure, all in this table so that no two agree: the
// XXH64 of "distkit/ring", "distkit/bloom" and so on. Images depend on them;
// they never change. A structure with layers uses salt + i*prime1 for layer i.
const (
	SaltRing  uint64 = 0x920da050167d48b1
	SaltBloom uint64 = 0x5812edbc061e749c
	SaltCMS   uint64 = 0x2f0c95233fdb54a8
	SaltHLL   uint64 = 0xb97ad38484b74775
	SaltLimit uint64 = 0xe4a580a799c18cdc
)
