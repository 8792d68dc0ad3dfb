//! Field layout: offsets of instance fields behind the superclass's, of static fields in the
//! mirror, and the oop maps that the collector follows.

use crate::heap::layout::{BasicType, HEADER_BYTES};
use crate::meta::class::{ClassRef, OopMapBlock};

/// One field to place: its type, and the offset once placed.
pub struct Slot {
    pub basic_type: BasicType,
    pub is_static: bool,
    pub offset: u32,
}

/// Result of [`lay_out`].
pub struct Layout {
    /// End of the instance fields, unaligned.
    pub fields_end: u32,
    /// Instance reference fields, inherited ones first.
    pub oop_maps: Vec<OopMapBlock>,
    /// Static references, at the start of the statics.
    pub static_references: u32,
    /// End of the statics (bytes of the mirror, unaligned).
    pub statics_end: u32,
}

/// Free ranges left by alignment, filled by smaller fields.
struct Cursor {
    end: u32,
    gaps: Vec<(u32, u32)>,
}

impl Cursor {
    fn place(&mut self, size: u32) -> u32 {
        if let Some(i) = self.gaps.iter().position(|&(start, end)| {
            let at = (start + size - 1) & !(size - 1);
            at + size <= end
        }) {
            let (start, end) = self.gaps.swap_remove(i);
            let at = (start + size - 1) & !(size - 1);
            if at > start {
                self.gaps.push((start, at));
            }
            if at + size < end {
                self.gaps.push((at + size, end));
            }
            return at;
        }
        let at = (self.end + size - 1) & !(size - 1);
        if at > self.end {
            self.gaps.push((self.end, at));
        }
        self.end = at + size;
        at
    }
}

/// Places `slots` in order of size (references together, so that oop maps stay short).
/// Statics start at `statics_start` in the mirror, references first.
pub fn lay_out(super_class: Option<ClassRef>, slots: &mut [Slot], statics_start: u32) -> Layout {
    let start = super_class.map_or(HEADER_BYTES as u32, |s| s.fields_end);
    let mut instance = Cursor { end: start, gaps: Vec::new() };
    let mut oop_maps: Vec<OopMapBlock> = super_class.map_or_else(Vec::new, |s| s.oop_maps.to_vec());
    let mut place = |slots: &mut [Slot], size: usize, references: bool| {
        for s in slots.iter_mut().filter(|s| {
            !s.is_static && s.basic_type.heap_bytes() == size && s.basic_type.is_reference() == references
        }) {
            s.offset = instance.place(size as u32);
            if references {
                match oop_maps.last_mut() {
                    Some(b) if b.offset + b.count * 4 == s.offset => b.count += 1,
                    _ => oop_maps.push(OopMapBlock { offset: s.offset, count: 1 }),
                }
            }
        }
    };
    place(slots, 8, false);
    place(slots, 4, false);
    place(slots, 2, false);
    place(slots, 1, false);
    place(slots, 4, true);
    let fields_end = instance.end;

    let mut statics = Cursor { end: statics_start, gaps: Vec::new() };
    let mut static_references = 0;
    for s in slots.iter_mut().filter(|s| s.is_static && s.basic_type.is_reference()) {
        s.offset = statics.place(4);
        static_references += 1;
    }
    for size in [8, 4, 2, 1] {
        for s in slots.iter_mut() {
            if s.is_static && !s.basic_type.is_reference() && s.basic_type.heap_bytes() == size {
                s.offset = statics.place(size as u32);
            }
        }
    }
    Layout { fields_end, oop_maps, static_references, statics_end: statics.end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(basic_type: BasicType, is_static: bool) -> Slot {
        Slot { basic_type, is_static, offset: 0 }
    }

    #[test]
    fn fields_do_not_overlap_and_are_aligned() {
        use BasicType::*;
        let mut s: Vec<Slot> = [Byte, Long, Object, Short, Int, Array, Boolean, Double]
            .into_iter()
            .map(|t| slot(t, false))
            .chain([slot(Object, true), slot(Long, true), slot(Byte, true), slot(Array, true)])
            .collect();
        let l = lay_out(None, &mut s, 100);
        let mut used = std::collections::HashSet::new();
        for f in s.iter().filter(|f| !f.is_static) {
            let n = f.basic_type.heap_bytes() as u32;
            assert_eq!(f.offset % n, 0);
            for b in f.offset..f.offset + n {
                assert!(b >= 8 && b < l.fields_end && used.insert(b));
            }
        }
        assert_eq!(l.oop_maps.iter().map(|b| b.count).sum::<u32>(), 2);
        assert_eq!(l.static_references, 2);
        assert_eq!((s[8].offset, s[11].offset), (100, 104), "static references come first");
        assert_eq!(s[9].offset % 8, 0);
    }
}
