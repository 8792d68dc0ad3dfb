//! Abstract memory: objects with a class and cells by offset. Contents of objects that were there before are drawn
//! from a seed when they are first read, so that a function may read anything.

use super::Stuck;
use crate::compiler::ir::Mem;
use crate::meta::class::{Class, ClassRef};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A reference that is not null.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Object(u32);

impl Object {
    /// `None` for null.
    pub fn from_bits(bits: u64) -> Option<Object> {
        (bits as u32).checked_sub(1).map(Object)
    }

    /// The value of type `ref`.
    pub fn bits(self) -> u64 {
        u64::from(self.0) + 1
    }
}

/// A cell: how many bytes (log2), whether a reference, and the bits.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Cell {
    log2: u32,
    reference: bool,
    bits: u64,
}

#[derive(Clone, Debug)]
struct Contents {
    class: ClassRef,
    length: Option<u32>,
    cells: BTreeMap<u32, Cell>,
    /// What is in cells never written; `None`: zero.
    seed: Option<u64>,
    locks: u32,
}

/// See the module comment.
#[derive(Clone, Default, Debug)]
pub struct Heap {
    objects: Vec<Contents>,
    /// References drawn from seeds are to these, or null.
    known: Vec<Object>,
    /// Ordered (volatile, release) stores so far, as text.
    ordered: Vec<String>,
}

/// A number from a number: splitmix64's finalizer.
pub fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Heap {
    /// Adds an object that was there before, its contents drawn from `seed`; fields of type reference lead to such
    /// objects or are null.
    pub fn add(&mut self, class: ClassRef, length: Option<u32>, seed: u64) -> Object {
        let o = self.allocate(class, length);
        self.objects[o.0 as usize].seed = Some(seed);
        self.known.push(o);
        o
    }

    /// Makes a zeroed object.
    pub fn allocate(&mut self, class: ClassRef, length: Option<u32>) -> Object {
        self.objects.push(Contents { class, length, cells: BTreeMap::new(), seed: None, locks: 0 });
        Object(self.objects.len() as u32 - 1)
    }

    fn at(&self, o: Object) -> &Contents {
        &self.objects[o.0 as usize]
    }

    pub fn class(&self, o: Object) -> &'static Class {
        self.at(o).class
    }

    /// Of an array.
    pub fn length(&self, o: Object) -> Option<u32> {
        self.at(o).length
    }

    pub fn lock(&mut self, o: Object) {
        self.objects[o.0 as usize].locks += 1;
    }

    /// # Errors
    /// If it is not locked.
    pub fn unlock(&mut self, o: Object) -> Result<(), Stuck> {
        let locks = &mut self.objects[o.0 as usize].locks;
        *locks = locks.checked_sub(1).ok_or_else(|| Stuck::Contract("a monitor exited that is not held".into()))?;
        Ok(())
    }

    /// What a cell holds that was never written.
    fn initial(&self, c: &Contents, offset: u32, mem: Mem) -> u64 {
        let Some(seed) = c.seed else { return 0 };
        let x = mix(seed ^ mix(u64::from(offset) << 8 | u64::from(mem.log2_bytes())));
        match mem {
            Mem::Ref | Mem::WideRef => match x as usize % (self.known.len() + 1) {
                0 => 0,
                n => self.known[n - 1].bits(),
            },
            Mem::I64 | Mem::F64 | Mem::Ptr64 => x,
            Mem::I32 | Mem::F32 | Mem::Ptr32 => x & 0xffff_ffff,
            Mem::I16 | Mem::U16 => x & 0xffff,
            Mem::I8 | Mem::U8 => x & 0xff,
        }
    }

    /// The value of a field or element, widened.
    ///
    /// # Errors
    /// If it was written as something else.
    pub fn load(&self, o: Object, offset: u32, mem: Mem) -> Result<u64, Stuck> {
        let c = self.at(o);
        let reference = matches!(mem, Mem::Ref | Mem::WideRef);
        let bits = match c.cells.get(&offset) {
            None => self.initial(c, offset, mem),
            Some(x) if x.log2 == mem.log2_bytes() && x.reference == reference => x.bits,
            Some(x) => return Err(Stuck::Contract(format!("{x:?} at {offset} is read as {mem}"))),
        };
        Ok(match mem {
            Mem::I8 => u64::from(bits as i8 as u32),
            Mem::I16 => u64::from(bits as i16 as u32),
            _ => bits,
        })
    }

    /// # Errors
    /// None that a well-typed function meets.
    pub fn store(&mut self, o: Object, offset: u32, mem: Mem, bits: u64, ordered: bool) -> Result<(), Stuck> {
        let log2 = mem.log2_bytes();
        let reference = matches!(mem, Mem::Ref | Mem::WideRef);
        let mask = if log2 == 3 || reference { u64::MAX } else { (1u64 << (8 << log2)) - 1 };
        let c = &mut self.objects[o.0 as usize];
        if let Some(x) = c.cells.get(&offset) {
            if x.log2 != log2 || x.reference != reference {
                return Err(Stuck::Contract(format!("{x:?} at {offset} is written as {mem}")));
            }
        }
        c.cells.insert(offset, Cell { log2, reference, bits: bits & mask });
        if ordered {
            let text = self.show(&[bits].map(|b| (reference, b)));
            self.ordered.push(format!("{offset}: {text}"));
        }
        Ok(())
    }

    /// The objects that can be reached from `roots`, each once, nearest first.
    pub fn reachable(&self, roots: &[u64]) -> Vec<Object> {
        let mut found: Vec<Object> = Vec::new();
        let add = |found: &mut Vec<Object>, bits: u64| {
            if let Some(o) = Object::from_bits(bits) {
                if !found.contains(&o) {
                    found.push(o)
                }
            }
        };
        self.known.iter().for_each(|o| add(&mut found, o.bits()));
        roots.iter().for_each(|&r| add(&mut found, r));
        let mut next = 0;
        while let Some(&o) = found.get(next) {
            next += 1;
            for x in self.at(o).cells.values().filter(|x| x.reference) {
                add(&mut found, x.bits);
            }
        }
        found
    }

    /// Everything that can be seen from the values (is a reference, bits): equal for equal memories, whatever
    /// order objects were made in.
    pub fn show(&self, values: &[(bool, u64)]) -> String {
        let roots: Vec<u64> = values.iter().filter(|v| v.0).map(|v| v.1).collect();
        let objects = self.reachable(&roots);
        let name = |bits: u64| match Object::from_bits(bits) {
            None => "null".to_string(),
            Some(o) => match objects.iter().position(|&x| x == o) {
                Some(n) => format!("o{n}"),
                None => "?".to_string(),
            },
        };
        let mut out = String::new();
        // Writing to a string does not fail.
        for &(reference, bits) in values {
            let _ = if reference { write!(out, "{} ", name(bits)) } else { write!(out, "{bits:#x} ") };
        }
        for (n, &o) in objects.iter().enumerate() {
            let c = self.at(o);
            let _ = write!(out, "\n  o{n}: {} {:?} locks {}:", c.class.name, c.length, c.locks);
            for (&offset, x) in &c.cells {
                let mem = match (x.reference, x.log2) {
                    (true, _) => Mem::Ref,
                    (_, 0) => Mem::U8,
                    (_, 1) => Mem::U16,
                    (_, 2) => Mem::I32,
                    _ => Mem::I64,
                };
                if x.bits != self.initial(c, offset, mem) {
                    let value = if x.reference { name(x.bits) } else { format!("{:#x}", x.bits) };
                    let _ = write!(out, " {offset}={value}");
                }
            }
        }
        for o in &self.ordered {
            let _ = write!(out, "\n  ordered {o}");
        }
        out
    }
}
