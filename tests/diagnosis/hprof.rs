//! A reader of heap dumps, written from the format's description: it checks that every length is right, that every
//! name, class, frame and trace that a record refers to is there, and that each object has as many bytes as its classes
//! say.

use std::collections::{HashMap, HashSet};

/// A field or element type, by its tag.
fn size(ty: u8) -> usize {
    match ty {
        2 | 7 | 11 => 8,
        4 | 8 => 1,
        5 | 9 => 2,
        6 | 10 => 4,
        _ => panic!("no type has the tag {ty}"),
    }
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> &'a [u8] {
        let (head, tail) = self.0.split_at_checked(n).expect("a record ends where its length says");
        self.0 = tail;
        head
    }

    fn number(&mut self, n: usize) -> u64 {
        self.take(n).iter().fold(0, |v, b| v << 8 | u64::from(*b))
    }

    fn u1(&mut self) -> u8 {
        self.number(1) as u8
    }

    fn u4(&mut self) -> u32 {
        self.number(4) as u32
    }

    fn id(&mut self) -> u64 {
        self.number(8)
    }
}

#[derive(Default)]
pub struct Class {
    pub name: String,
    pub super_class: u64,
    instance_bytes: usize,
    pub statics: HashMap<String, u64>,
    fields: Vec<(String, u8)>,
}

pub enum Object {
    Instance { class: u64, values: Vec<u8> },
    Objects { class: u64, elements: Vec<u64> },
    Primitives { ty: u8, elements: Vec<u8> },
}

#[derive(Default)]
pub struct Dump {
    names: HashMap<u64, String>,
    pub classes: HashMap<u64, Class>,
    class_serials: HashSet<u32>,
    /// Frame: method and class serial.
    frames: HashMap<u64, (String, u32)>,
    /// Trace: thread and frames.
    pub traces: HashMap<u32, (u32, Vec<u64>)>,
    pub objects: HashMap<u64, Object>,
    /// Thread object: serials of thread and trace.
    pub threads: HashMap<u64, (u32, u32)>,
    /// Every root but threads, by kind.
    pub roots: HashMap<u8, Vec<u64>>,
}

impl Dump {
    pub fn read(file: &[u8]) -> Dump {
        let mut b = Bytes(file);
        assert_eq!(b.take(19), b"JAVA PROFILE 1.0.2\0");
        assert_eq!(b.u4(), 8, "size of identifiers");
        assert!(b.number(8) > 1_500_000_000_000, "milliseconds since 1970");
        let mut dump = Dump::default();
        let mut ended = false;
        while !b.0.is_empty() {
            assert!(!ended, "nothing follows the end of the dump");
            let (tag, _time, length) = (b.u1(), b.u4(), b.u4() as usize);
            let mut body = Bytes(b.take(length));
            match tag {
                0x01 => {
                    let id = body.id();
                    let text = String::from_utf8_lossy(body.take(length - 8)).into_owned();
                    assert!(dump.names.insert(id, text).is_none(), "a name is written once");
                }
                0x02 => {
                    let (serial, id, _trace, name) = (body.u4(), body.id(), body.u4(), body.id());
                    assert!(dump.class_serials.insert(serial));
                    let name = dump.name(name);
                    assert!(dump.classes.insert(id, Class { name, ..Class::default() }).is_none());
                }
                0x04 => {
                    let (id, method, signature, file) = (body.id(), body.id(), body.id(), body.id());
                    assert!(dump.name(signature).starts_with('('));
                    assert!(file == 0 || !dump.name(file).is_empty());
                    let (serial, line) = (body.u4(), body.u4() as i32);
                    assert!(dump.class_serials.contains(&serial), "class of {}", dump.name(method));
                    assert!(line > 0 || line == -1 || line == -3, "line {line}");
                    let method = dump.name(method);
                    dump.frames.insert(id, (method, serial));
                }
                0x05 => {
                    let (serial, thread, count) = (body.u4(), body.u4(), body.u4());
                    let frames: Vec<u64> = (0..count).map(|_| body.id()).collect();
                    assert!(frames.iter().all(|f| dump.frames.contains_key(f)));
                    dump.traces.insert(serial, (thread, frames));
                }
                0x1c => {
                    while !body.0.is_empty() {
                        dump.sub_record(&mut body);
                    }
                }
                0x2c => ended = true,
                other => panic!("HotSpot writes no records with the tag {other:#x}"),
            }
            assert!(body.0.is_empty(), "a record of tag {tag:#x} is as long as it says");
        }
        assert!(ended, "the dump has an end");
        dump.check();
        dump
    }

    fn name(&self, id: u64) -> String {
        self.names.get(&id).unwrap_or_else(|| panic!("the name {id:#x} is in the dump")).clone()
    }

    fn sub_record(&mut self, b: &mut Bytes<'_>) {
        let (kind, id) = (b.u1(), b.id());
        match kind {
            // Unknown, busy monitor, class that stays.
            0xff | 0x05 | 0x07 => {}
            // JNI global: the reference.
            0x01 => drop(b.id()),
            // JNI local, Java frame: thread and frame.
            0x02 | 0x03 => {
                let _thread = b.u4();
                b.u4();
            }
            // Native stack, thread block.
            0x04 | 0x06 => drop(b.u4()),
            0x08 => {
                let (thread, trace) = (b.u4(), b.u4());
                self.threads.insert(id, (thread, trace));
                return;
            }
            0x20 => return self.class(id, b),
            0x21 => {
                let (_trace, class, length) = (b.u4(), b.id(), b.u4() as usize);
                let values = b.take(length).to_vec();
                return self.object(id, Object::Instance { class, values });
            }
            0x22 => {
                let (_trace, length, class) = (b.u4(), b.u4(), b.id());
                let elements = (0..length).map(|_| b.id()).collect();
                return self.object(id, Object::Objects { class, elements });
            }
            0x23 => {
                let (_trace, length, ty) = (b.u4(), b.u4() as usize, b.u1());
                let elements = b.take(length * size(ty)).to_vec();
                return self.object(id, Object::Primitives { ty, elements });
            }
            other => panic!("no sub-record has the tag {other:#x}"),
        }
        self.roots.entry(kind).or_default().push(id);
    }

    fn object(&mut self, id: u64, object: Object) {
        assert!(id != 0 && self.objects.insert(id, object).is_none(), "an object is written once");
    }

    fn class(&mut self, id: u64, b: &mut Bytes<'_>) {
        let _trace = b.u4();
        let super_class = b.id();
        for _ in 0..5 {
            // Loader, signers, protection domain, reserved.
            b.id();
        }
        let instance_bytes = b.u4() as usize;
        assert_eq!(b.number(2), 0, "no constants");
        let mut statics = HashMap::new();
        for _ in 0..b.number(2) {
            let name = self.name(b.id());
            let ty = b.u1();
            statics.insert(name, b.number(size(ty)));
        }
        let fields = (0..b.number(2)).map(|_| (self.name(b.id()), b.u1())).collect();
        let class = self.classes.get_mut(&id).expect("a class that is dumped has been loaded");
        *class = Class { name: std::mem::take(&mut class.name), super_class, instance_bytes, statics, fields };
    }

    /// The classes from `id` up.
    fn lineage(&self, id: u64) -> Vec<&Class> {
        let next = |c: &&Class| self.classes.get(&c.super_class);
        std::iter::successors(self.classes.get(&id), next).collect()
    }

    /// What only all records together tell.
    fn check(&self) {
        for c in self.classes.values() {
            assert!(c.super_class == 0 || self.classes.contains_key(&c.super_class), "super of {}", c.name);
        }
        for o in self.objects.values() {
            match o {
                Object::Instance { class, values } => {
                    let c = &self.classes[class];
                    let bytes: usize =
                        self.lineage(*class).iter().flat_map(|c| &c.fields).map(|f| size(f.1)).sum();
                    assert_eq!((values.len(), c.instance_bytes), (bytes, bytes), "instance of {}", c.name);
                }
                Object::Objects { class, .. } => assert!(self.classes[class].name.starts_with('[')),
                Object::Primitives { .. } => {}
            }
        }
        for (thread, trace) in self.threads.values() {
            assert_eq!(self.traces[trace].0, *thread);
        }
        assert!(self.threads.keys().all(|t| self.objects.contains_key(t)));
        let dangling = |ids: &[u64]| ids.iter().filter(|i| **i != 0 && !self.is_there(**i)).count();
        for (kind, ids) in &self.roots {
            assert_eq!(dangling(ids), 0, "roots of kind {kind:#x}");
        }
    }

    pub fn is_there(&self, id: u64) -> bool {
        self.objects.contains_key(&id) || self.classes.contains_key(&id)
    }

    pub fn class_named(&self, name: &str) -> u64 {
        let found = self.classes.iter().find(|(_, c)| c.name == name);
        *found.unwrap_or_else(|| panic!("the class {name} is in the dump")).0
    }

    /// The instances of exactly this class.
    pub fn instances(&self, name: &str) -> Vec<u64> {
        let wanted = self.class_named(name);
        let is = |o: &Object| matches!(o, Object::Instance { class, .. } if *class == wanted);
        self.objects.iter().filter(|(_, o)| is(o)).map(|(id, _)| *id).collect()
    }

    /// A field of an instance.
    pub fn field(&self, object: u64, name: &str) -> u64 {
        let Object::Instance { class, values } = &self.objects[&object] else { panic!("{object:#x} has no fields") };
        let mut values = Bytes(values);
        for (field, ty) in self.lineage(*class).iter().flat_map(|c| &c.fields) {
            let value = values.number(size(*ty));
            if field == name {
                return value;
            }
        }
        panic!("no field is called {name}")
    }

    pub fn elements(&self, array: u64) -> &[u64] {
        match &self.objects[&array] {
            Object::Objects { elements, .. } => elements,
            _ => panic!("{array:#x} is no array of objects"),
        }
    }

    pub fn primitives(&self, array: u64) -> (u8, &[u8]) {
        match &self.objects[&array] {
            Object::Primitives { ty, elements } => (*ty, elements),
            _ => panic!("{array:#x} is no array of primitives"),
        }
    }

    /// A string of Latin-1 characters.
    pub fn text(&self, string: u64) -> String {
        let (ty, bytes) = self.primitives(self.field(string, "value"));
        assert_eq!(ty, 8);
        bytes.iter().map(|b| *b as char).collect()
    }

    /// The methods on the stack of the thread of this name, innermost first.
    pub fn stack(&self, thread: &str) -> Vec<String> {
        let of_name = |t: &&u64| self.text(self.field(**t, "name")) == thread;
        let found = self.threads.keys().find(of_name).unwrap_or_else(|| panic!("{thread} is in the dump"));
        self.traces[&self.threads[found].1].1.iter().map(|f| self.frames[f].0.clone()).collect()
    }
}
