//! Breaks class files at random places, the same ones for the same seed.

use jvm::classfile::{self, ParseOptions};

/// A xorshift generator.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }
    /// Less than `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// `bytes` with one to three places changed, mostly in code and stack maps.
pub fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let file = classfile::parse(bytes, &ParseOptions::default()).expect("a good class file");
    let offset = |part: &[u8]| part.as_ptr() as usize - bytes.as_ptr() as usize;
    let codes: Vec<_> = file.methods.iter().filter_map(|method| method.code.as_deref()).collect();
    let mut mutant = bytes.to_vec();
    if codes.is_empty() {
        let at = random.below(mutant.len());
        mutant[at] = random.next() as u8;
        return mutant;
    }
    let code = codes[random.below(codes.len())];
    let start = offset(code.code);
    for _ in 0..=random.below(3) {
        let (from, length) = match random.below(10) {
            0..=4 => (start, code.code.len()),
            5..=7 => match code.stack_map_table {
                Some(table) => (offset(table), table.len()),
                None => (start, code.code.len()),
            },
            8 => (start - 8, 4), // max_stack, max_locals
            _ => (start + code.code.len(), 2 + 8 * code.exception_table.len()),
        };
        if length == 0 {
            continue;
        }
        let at = from + random.below(length);
        mutant[at] = match random.below(4) {
            0 => random.next() as u8,
            1 => mutant[at].wrapping_add(1 + random.below(3) as u8),
            2 => mutant[at].wrapping_sub(1 + random.below(3) as u8),
            _ => mutant[from + random.below(length)],
        };
    }
    mutant
}
