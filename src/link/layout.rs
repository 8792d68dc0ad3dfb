//! Field layout: offsets of instance fields behind the superclass's, of static fields in the
//! mirror, and the oop maps that the collector follows.

use crate::heap::layout::{BasicType, HEADER_BYTES};
use crate::meta::class::{ClassRef, OopMapBlock};

/// One field to place: its type, and the offset once placed.
pub struct Slot {
    pub basic_type: BasicType,
    pub is_static: bool,
    pub contention: Contention,
    pub offset: u32,
}

/// What `@Contended` asks for a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contention {
    /// To lie beside others.
    None,
    /// A place without others near.
    Alone,
    /// A place with those of its group only; the group is a number within the class.
    Group(u16),
}

/// Empty bytes around contended fields.
#[derive(Clone, Copy, Default)]
pub struct Padding {
    /// `-XX:ContendedPaddingWidth`.
    pub width: u32,
    /// The class itself is `@Contended`: the fields that are not are padded too, as one group.
    pub of_class: bool,
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
    /// Leaves `width` bytes empty, for good, as are the gaps so far: what comes is to lie apart from it.
    fn pad(&mut self, width: u32) {
        self.gaps.clear();
        self.end += width;
    }

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

/// Places `slots` in order of size (references together, so that oop maps stay short), contended ones behind the
/// others, a group at a time. Statics start at `statics_start` in the mirror, references first; contention is nothing
/// to them.
pub fn lay_out(super_class: Option<ClassRef>, slots: &mut [Slot], statics_start: u32, padding: Padding) -> Layout {
    let start = super_class.map_or(HEADER_BYTES as u32, |s| s.fields_end);
    let mut instance = Cursor { end: start, gaps: Vec::new() };
    let mut oop_maps: Vec<OopMapBlock> = super_class.map_or_else(Vec::new, |s| s.oop_maps.to_vec());
    let groups = groups_of(slots);
    if padding.of_class {
        instance.pad(padding.width);
    }
    for (n, group) in groups.iter().enumerate() {
        if n > 0 {
            instance.pad(padding.width);
        }
        for (size, references) in [(8, false), (4, false), (2, false), (1, false), (4, true)] {
            for &i in group {
                let s = &mut slots[i];
                if s.basic_type.heap_bytes() != size || s.basic_type.is_reference() != references {
                    continue;
                }
                s.offset = instance.place(size as u32);
                if references {
                    match oop_maps.last_mut() {
                        Some(b) if b.offset + b.count * 4 == s.offset => b.count += 1,
                        _ => oop_maps.push(OopMapBlock { offset: s.offset, count: 1 }),
                    }
                }
            }
        }
    }
    if padding.of_class || groups.len() > 1 {
        instance.pad(padding.width);
    }
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

/// The instance fields, by index: those that are not contended, then each contended group.
fn groups_of(slots: &[Slot]) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new()];
    let mut named: Vec<(u16, usize)> = Vec::new();
    for (i, s) in slots.iter().enumerate().filter(|(_, s)| !s.is_static) {
        let g = match s.contention {
            Contention::None => 0,
            Contention::Alone => groups.len(),
            Contention::Group(name) => match named.iter().find(|(n, _)| *n == name) {
                Some(&(_, g)) => g,
                None => {
                    named.push((name, groups.len()));
                    groups.len()
                }
            },
        };
        if g == groups.len() {
            groups.push(Vec::new());
        }
        groups[g].push(i);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(basic_type: BasicType, is_static: bool) -> Slot {
        Slot { basic_type, is_static, contention: Contention::None, offset: 0 }
    }

    #[test]
    fn fields_do_not_overlap_and_are_aligned() {
        use BasicType::*;
        let mut s: Vec<Slot> = [Byte, Long, Object, Short, Int, Array, Boolean, Double]
            .into_iter()
            .map(|t| slot(t, false))
            .chain([slot(Object, true), slot(Long, true), slot(Byte, true), slot(Array, true)])
            .collect();
        let l = lay_out(None, &mut s, 100, Padding::default());
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

    #[test]
    fn contended_fields_lie_apart() {
        use BasicType::*;
        let width = 128;
        let contended = |t, contention| Slot { contention, ..slot(t, false) };
        let mut s = [
            slot(Int, false),
            contended(Byte, Contention::Alone),
            contended(Object, Contention::Group(7)),
            contended(Long, Contention::Group(7)),
            contended(Int, Contention::Alone),
        ];
        let l = lay_out(None, &mut s, 100, Padding { width, of_class: false });
        assert_eq!(s[0].offset, 8);
        let apart = |a: &Slot, b: &Slot| {
            let (first, second) = if a.offset < b.offset { (a, b) } else { (b, a) };
            second.offset - (first.offset + first.basic_type.heap_bytes() as u32) >= width
        };
        for (i, j) in [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4), (0, 4)] {
            assert!(apart(&s[i], &s[j]), "{i} and {j}");
        }
        assert!(!apart(&s[2], &s[3]), "a group stays together");
        assert_eq!(l.fields_end, s[4].offset + 4 + width, "a subclass's fields keep away too");
        assert_eq!(l.oop_maps.len(), 1);
    }

    #[test]
    fn a_contended_class_is_padded_on_both_sides() {
        let mut s = [slot(BasicType::Int, false), slot(BasicType::Int, false)];
        let l = lay_out(None, &mut s, 100, Padding { width: 64, of_class: true });
        assert_eq!((s[0].offset, s[1].offset, l.fields_end), (72, 76, 144));
    }
}
