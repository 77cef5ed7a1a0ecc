//go:build !purego && !race

#include "go_asm.h"
#include "textflag.h"

DATA salts<>+0(SB)/4, $const_salt0
DATA salts<>+4(SB)/4, $const_salt1
DATA salts<>+8(SB)/4, $const_salt2
DATA salts<>+12(SB)/4, $const_salt3
DATA salts<>+16(SB)/4, $const_salt4
DATA salts<>+20(SB)/4, $const_salt5
DATA salts<>+24(SB)/4, $const_salt6
DATA salts<>+28(SB)/4, $const_salt7
GLOBL salts<>(SB), RODATA|NOPTR, $32

// CONSTANTS loads what MIX wants in R11, R12 and R13: hash64.Mix.
#define CONSTANTS \
	MOVQ $const_saltBloom, R11   \
	MOVQ $0xbf58476d1ce4e5b9, R12 \
	MOVQ $0x94d049bb133111eb, R13

// MIX remixes h by way of t.
#define MIX(h, t) \
	XORQ  R11, h \
	MOVQ  h, t   \
	SHRQ  $30, t \
	XORQ  t, h   \
	IMULQ R12, h \
	MOVQ  h, t   \
	SHRQ  $27, t \
	XORQ  t, h   \
	IMULQ R13, h \
	MOVQ  h, t   \
	SHRQ  $31, t \
	XORQ  t, h

// OFFSET turns a mixed hash into the offset of its block among z.
#define OFFSET(h, z) \
	SHRQ  $32, h \
	IMULQ z, h   \
	SHRQ  $32, h \
	SHLQ  $5, h

// ONES sets y to eight ones.
#define ONES(y) \
	VPCMPEQD y, y, y \
	VPSRLD   $31, y, y

// MASK turns eight copies of a mixed hash's low half into the bits of the lanes.
#define MASK(y, salts, ones) \
	VPMULLD salts, y, y \
	VPSRLD  $27, y, y   \
	VPSLLVD y, ones, y

// LOCATE leaves the words of b in AX, the offset of h's block in CX and its bits
// in Y0, or jumps: a zero value and a machine without AVX2 are not for here.
#define LOCATE(portable, mixed) \
	MOVQ b+0(FP), AX              \
	MOVQ h+8(FP), CX              \
	MOVQ (blocks_words+8)(AX), BX \
	CMPB ·useAVX2(SB), $0         \
	JEQ  portable                 \
	SHRQ $2, BX                   \
	JEQ  portable                 \
	CMPB blocks_raw(AX), $0       \
	MOVQ blocks_words(AX), AX     \
	JNE  mixed                    \
	CONSTANTS                     \
	MIX(CX, DX)                   \
mixed:                            \
	VMOVD        CX, X0           \
	VPBROADCASTD X0, Y0           \
	OFFSET(CX, BX)                \
	ONES(Y1)                      \
	MASK(Y0, salts<>(SB), Y1)

// Batches fetch the block of the key that is 16 ahead. Where hashes are remixed,
// those of the 16 keys in flight wait in a ring on the stack, so that each is
// remixed once.

// BATCH loads words to AX, blocks to BX, hashes to SI, the index 0 to R8, what
// is ahead to R10, salts to Y4 and ones to Y3, and compares raw with 0.
#define BATCH \
	MOVQ b+0(FP), AX              \
	MOVQ (blocks_words+8)(AX), BX \
	SHRQ $2, BX                   \
	MOVQ hs+8(FP), SI             \
	VMOVDQU salts<>(SB), Y4       \
	ONES(Y3)                      \
	CONSTANTS                     \
	MOVQ $16, R10                 \
	XORQ R8, R8                   \
	CMPB blocks_raw(AX), $0       \
	MOVQ blocks_words(AX), AX

// AHEAD remixes the hash at index from into the ring and fetches its block.
#define AHEAD(from, ringslot) \
	MOVQ (SI)(from*8), R9        \
	MIX(R9, DX)                  \
	MOVQ R9, ring-128(SP)(ringslot*8) \
	OFFSET(R9, BX)               \
	PREFETCHT0 (AX)(R9*1)

// FILL puts the first keys, 16 or all, into the ring.
#define FILL(fill) \
fill:                      \
	AHEAD(R8, R8)          \
	INCQ R8                \
	CMPQ R8, n+16(FP)      \
	JGE  3(PC)             \
	CMPQ R8, $16           \
	JLT  fill              \
	XORQ R8, R8

// TAKE leaves the bits of key R8 in Y0 and its block's offset in CX, and puts the
// key that is 16 ahead in its place.
#define TAKE(last) \
	MOVQ R8, R14                         \
	ANDQ $15, R14                        \
	MOVQ ring-128(SP)(R14*8), CX         \
	VPBROADCASTD ring-128(SP)(R14*8), Y0 \
	CMPQ R10, n+16(FP)                   \
	JGE  last                            \
	AHEAD(R10, R14)                      \
last:                                    \
	OFFSET(CX, BX)                       \
	MASK(Y0, Y4, Y3)

// RAW sets R13 to the number of keys and R14 to that of keys with one 16 ahead.
#define RAW \
	MOVQ n+16(FP), R13 \
	LEAQ -16(R13), R14

// TAKERAW is TAKE for hashes that are used as they are: their high halves are
// loaded as such.
#define TAKERAW(last) \
	MOVL 4(SI)(R8*8), CX        \
	VPBROADCASTD (SI)(R8*8), Y0 \
	CMPQ R8, R14                \
	JGE  last                   \
	MOVL 132(SI)(R8*8), R9      \
	IMULQ BX, R9                \
	SHRQ $32, R9                \
	SHLQ $5, R9                 \
	PREFETCHT0 (AX)(R9*1)       \
last:                           \
	IMULQ BX, CX                \
	SHRQ $32, CX                \
	SHLQ $5, CX                 \
	MASK(Y0, Y4, Y3)

// NEXTRAW goes on with the next key, if there is one.
#define NEXTRAW(loop) \
	INCQ R8      \
	CMPQ R8, R13 \
	JLT  loop

// NEXT goes on with the next key, if there is one.
#define NEXT(loop) \
	INCQ R8           \
	INCQ R10          \
	CMPQ R8, n+16(FP) \
	JLT  loop

// func contains(b *blocks, h uint64) bool
TEXT ·contains(SB), NOSPLIT, $0-17
	LOCATE(portable, mixed)
	VMOVDQU (AX)(CX*1), Y2
	VPTEST  Y0, Y2
	SETCS   ret+16(FP)
	VZEROUPPER
	RET

portable:
	JMP ·containsGo(SB)

// func add(b *blocks, h uint64) bool
TEXT ·add(SB), NOSPLIT, $0-17
	LOCATE(portable, mixed)
	VMOVDQU (AX)(CX*1), Y2
	VPTEST  Y0, Y2
	SETCC   ret+16(FP)
	VPOR    Y0, Y2, Y2
	VMOVDQU Y2, (AX)(CX*1)
	VZEROUPPER
	RET

portable:
	JMP ·addGo(SB)

// func containsMany(b *blocks, hs *uint64, n int, out *bool) (present int)
TEXT ·containsMany(SB), NOSPLIT, $128-40
	BATCH
	MOVQ out+24(FP), DI
	MOVQ $0, R15
	JNE  raw
	FILL(fill)

loop:
	TAKE(last)
	VMOVDQU (AX)(CX*1), Y2
	VPTEST  Y0, Y2
	SETCS   (DI)(R8*1)
	ADCQ    $0, R15
	NEXT(loop)
	JMP     done

raw:
	RAW

rawloop:
	TAKERAW(rawlast)
	VMOVDQU (AX)(CX*1), Y2
	VPTEST  Y0, Y2
	SETCS   (DI)(R8*1)
	ADCQ    $0, R15
	NEXTRAW(rawloop)

done:
	MOVQ R15, present+32(FP)
	VZEROUPPER
	RET

// func addMany(b *blocks, hs *uint64, n int)
TEXT ·addMany(SB), NOSPLIT, $128-24
	BATCH
	JNE raw
	FILL(fill)

loop:
	TAKE(last)
	VPOR    (AX)(CX*1), Y0, Y0
	VMOVDQU Y0, (AX)(CX*1)
	NEXT(loop)
	JMP     done

raw:
	RAW

rawloop:
	TAKERAW(rawlast)
	VPOR    (AX)(CX*1), Y0, Y0
	VMOVDQU Y0, (AX)(CX*1)
	NEXTRAW(rawloop)

done:
	VZEROUPPER
	RET

// func containsOne(group *uint64, n int, h uint64) bool
TEXT ·containsOne(SB), NOSPLIT, $0-25
	MOVQ         group+0(FP), AX
	MOVQ         n+8(FP), CX
	VPBROADCASTD h+16(FP), Y0
	ONES(Y1)
	MASK(Y0, salts<>(SB), Y1)
	XORL         BX, BX

next:
	VMOVDQU (AX), Y2
	VPTEST  Y0, Y2
	ADCL    $0, BX
	ADDQ    $32, AX
	DECQ    CX
	JNZ     next
	TESTL   BX, BX
	SETNE   ret+24(FP)
	VZEROUPPER
	RET

// func cpuid(leaf, sub uint32) (a, b, c, d uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL sub+4(FP), CX
	CPUID
	MOVL AX, a+8(FP)
	MOVL BX, b+12(FP)
	MOVL CX, c+16(FP)
	MOVL DX, d+20(FP)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET
