//! Stepping through bytecode (JVMS 6.5): where instructions end, where they lead, which locals they touch.

use super::super::ir::Type;
use super::super::refusal::Refusal;

/// What an instruction does to a local variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LocalUse {
    None,
    Read(u16, Type),
    Write(u16, Type),
    /// `iinc`.
    Both(u16),
}

/// A method's code array.
#[derive(Clone, Copy)]
pub struct Code<'a>(pub &'a [u8]);

impl<'a> Code<'a> {
    pub fn len(self) -> usize {
        self.0.len()
    }

    pub fn op(self, bci: usize) -> u8 {
        self.0[bci]
    }

    /// Unsigned byte; 0 beyond the end, which [`Code::length`] has ruled out.
    pub fn u8(self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    pub fn u16(self, at: usize) -> u16 {
        u16::from_be_bytes([self.u8(at), self.u8(at + 1)])
    }

    pub fn i16(self, at: usize) -> i32 {
        i32::from(self.u16(at) as i16)
    }

    pub fn i32(self, at: usize) -> i32 {
        i32::from_be_bytes([self.u8(at), self.u8(at + 1), self.u8(at + 2), self.u8(at + 3)])
    }

    /// Length of the instruction at `bci`.
    pub fn length(self, bci: usize) -> Result<usize, Refusal> {
        let n = match self.op(bci) {
            0x10 | 0x12 | 0x15..=0x19 | 0x36..=0x3a | 0xa9 | 0xbc => 2,
            0x11 | 0x13 | 0x14 | 0x84 | 0x99..=0xa8 | 0xb2..=0xb8 | 0xbb | 0xbd | 0xc0 | 0xc1 | 0xc6 | 0xc7 => 3,
            0xc5 => 4,
            0xb9 | 0xba | 0xc8 | 0xc9 => 5,
            0xc4 => match self.u8(bci + 1) {
                0x84 => 6,
                0x15..=0x19 | 0x36..=0x3a | 0xa9 => 4,
                _ => return Err(Refusal::Malformed(bci as u16)),
            },
            0xaa | 0xab => {
                let at = (bci + 4) & !3;
                let n = if self.op(bci) == 0xaa {
                    4 * (i64::from(self.i32(at + 8)) - i64::from(self.i32(at + 4)) + 1) + 12
                } else {
                    8 * i64::from(self.i32(at + 4)) + 8
                };
                if n < 8 || n > self.len() as i64 {
                    return Err(Refusal::Malformed(bci as u16));
                }
                at - bci + n as usize
            }
            0xca..=0xff => return Err(Refusal::Malformed(bci as u16)),
            _ => 1,
        };
        if bci + n > self.len() {
            return Err(Refusal::Malformed(bci as u16));
        }
        Ok(n)
    }

    fn target(self, bci: usize, offset: i32) -> Result<u16, Refusal> {
        let to = bci as i64 + i64::from(offset);
        if to < 0 || to >= self.len() as i64 {
            return Err(Refusal::Malformed(bci as u16));
        }
        Ok(to as u16)
    }

    /// Where the instruction at `bci` branches to: explicit targets only.
    pub fn targets(self, bci: usize) -> Result<Vec<u16>, Refusal> {
        Ok(match self.op(bci) {
            0x99..=0xa7 | 0xc6 | 0xc7 => vec![self.target(bci, self.i16(bci + 1))?],
            0xc8 => vec![self.target(bci, self.i32(bci + 1))?],
            0xa8 | 0xc9 | 0xa9 => return Err(Refusal::Subroutine(bci as u16)),
            0xc4 if self.u8(bci + 1) == 0xa9 => return Err(Refusal::Subroutine(bci as u16)),
            0xaa | 0xab => {
                let s = self.switch(bci)?;
                s.cases.iter().map(|c| c.1).chain([s.default]).collect()
            }
            _ => vec![],
        })
    }

    /// The `tableswitch` or `lookupswitch` at `bci`.
    pub fn switch(self, bci: usize) -> Result<Switch, Refusal> {
        let at = (bci + 4) & !3;
        let default = self.target(bci, self.i32(at))?;
        let cases = if self.op(bci) == 0xaa {
            let (low, high) = (self.i32(at + 4), self.i32(at + 8));
            (low..=high)
                .enumerate()
                .map(|(i, key)| Ok((key, self.target(bci, self.i32(at + 12 + 4 * i))?)))
                .collect::<Result<Vec<_>, Refusal>>()?
        } else {
            (0..self.i32(at + 4) as usize)
                .map(|i| Ok((self.i32(at + 8 + 8 * i), self.target(bci, self.i32(at + 12 + 8 * i))?)))
                .collect::<Result<Vec<_>, Refusal>>()?
        };
        Ok(Switch { cases, default })
    }

    /// Whether control never goes on to the next instruction.
    pub fn ends_flow(self, bci: usize) -> bool {
        matches!(self.op(bci), 0xa7 | 0xc8 | 0xaa..=0xb1 | 0xbf | 0xa8 | 0xc9 | 0xa9)
            || self.op(bci) == 0xc4 && self.u8(bci + 1) == 0xa9
    }

    /// The local variable that the instruction at `bci` touches.
    pub fn local(self, bci: usize) -> LocalUse {
        let (op, index) = match self.op(bci) {
            0xc4 => (self.u8(bci + 1), self.u16(bci + 2)),
            op => (op, u16::from(self.u8(bci + 1))),
        };
        const TYPES: [Type; 5] = [Type::I32, Type::I64, Type::F32, Type::F64, Type::Ref];
        match op {
            0x15..=0x19 => LocalUse::Read(index, TYPES[op as usize - 0x15]),
            0x1a..=0x2d => LocalUse::Read(u16::from(op - 0x1a) & 3, TYPES[(op as usize - 0x1a) / 4]),
            0x36..=0x3a => LocalUse::Write(index, TYPES[op as usize - 0x36]),
            0x3b..=0x4e => LocalUse::Write(u16::from(op - 0x3b) & 3, TYPES[(op as usize - 0x3b) / 4]),
            0x84 => LocalUse::Both(index),
            _ => LocalUse::None,
        }
    }
}

/// A switch's keys with their targets, and where the rest goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Switch {
    pub cases: Vec<(i32, u16)>,
    pub default: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_and_wide_forms_have_their_lengths() {
        // iconst_0; lookupswitch {7: 20, default: 28}; 8 bytes of nop; wide iinc 300 -2; return
        let mut code = vec![0x03, 0xab, 0, 0];
        for v in [27i32, 1, 7, 19] {
            code.extend(v.to_be_bytes());
        }
        code.extend([0; 8]);
        code.extend([0xc4, 0x84, 1, 44, 0xff, 0xfe, 0xb1]);
        let c = Code(&code);
        assert_eq!(c.length(1), Ok(19));
        assert_eq!(c.switch(1), Ok(Switch { cases: vec![(7, 20)], default: 28 }));
        assert_eq!((c.length(28), c.local(28)), (Ok(6), LocalUse::Both(300)));
        assert_eq!(Code(&[0xfe]).length(0), Err(Refusal::Malformed(0)));
        assert_eq!(Code(&[0xa8, 0, 0]).targets(0), Err(Refusal::Subroutine(0)));
    }

    #[test]
    fn locals_by_opcode() {
        assert_eq!(Code(&[0x2c]).local(0), LocalUse::Read(2, Type::Ref));
        assert_eq!(Code(&[0x42]).local(0), LocalUse::Write(3, Type::I64));
        assert_eq!(Code(&[0x18, 9]).local(0), LocalUse::Read(9, Type::F64));
        assert_eq!(Code(&[0x60]).local(0), LocalUse::None);
    }
}
