//! The run-time constant pool (JVMS 5.1): what each symbolic reference has been resolved to.

use super::class::ClassRef;
use super::field::FieldRef;
use super::method::MethodRef;
use super::symbol::Symbol;
use crate::classfile::ConstantPool;
use crate::heap::roots::RootSlot;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Resolution failed; the error is recorded and thrown again (JVMS 5.4.3).
const FAILED: u64 = 1;

/// Why resolving an entry failed the first time.
#[derive(Clone, Debug)]
pub struct ResolutionError {
    /// Class of the error.
    pub class: Symbol,
    pub message: Option<String>,
    /// Class and message of its cause, if it had one.
    pub cause: Option<(Symbol, Option<String>)>,
}

/// The pool of one class. Entries that need no resolution are read from [`Self::pool`].
pub struct RuntimeConstantPool {
    /// The class-file pool; `None` for arrays.
    pub pool: Option<ConstantPool<'static>>,
    /// Per index: 0 unresolved, 1 failed, else the address of what it resolved to:
    /// a `Class`, `Field`, `Method` or `RootSlot` (strings, method handles and types, dynamic
    /// constants).
    entries: Box<[AtomicU64]>,
    errors: Mutex<HashMap<u16, ResolutionError>>,
}

impl RuntimeConstantPool {
    /// All entries unresolved.
    pub fn new(pool: Option<ConstantPool<'static>>) -> RuntimeConstantPool {
        let n = pool.as_ref().map_or(0, |p| p.len());
        RuntimeConstantPool {
            pool,
            entries: (0..n).map(|_| AtomicU64::new(0)).collect(),
            errors: Mutex::default(),
        }
    }

    /// The class-file pool, which only arrays lack.
    pub fn file(&self) -> &ConstantPool<'static> {
        self.pool.as_ref().expect("array classes have no constant pool")
    }

    #[inline(always)]
    fn raw(&self, index: u16) -> u64 {
        self.entries[index as usize].load(Ordering::Acquire)
    }

    /// Recorded failure of this entry.
    pub fn error(&self, index: u16) -> Option<ResolutionError> {
        (self.raw(index) == FAILED).then(|| self.errors.lock()[&index].clone())
    }

    /// Records a failure; false if the entry has been settled before, in whatever way.
    pub fn set_error(&self, index: u16, error: ResolutionError) -> bool {
        let mut errors = self.errors.lock();
        let settles = self.entries[index as usize].compare_exchange(0, FAILED, Ordering::Release, Ordering::Relaxed);
        if settles.is_ok() {
            errors.insert(index, error);
        }
        settles.is_ok()
    }

    /// Whether the entry is resolved (successfully).
    pub fn is_resolved(&self, index: u16) -> bool {
        self.raw(index) > FAILED
    }

    fn set(&self, index: u16, address: usize) -> u64 {
        match self.entries[index as usize].compare_exchange(0, address as u64, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => address as u64,
            Err(first) => first,
        }
    }

    /// The resolved class at a CONSTANT_Class entry.
    #[inline(always)]
    pub fn class(&self, index: u16) -> Option<ClassRef> {
        let v = self.raw(index);
        // SAFETY: entries of this kind hold Class addresses.
        (v > FAILED).then(|| unsafe { &*(v as usize as *const _) })
    }

    /// Records what a CONSTANT_Class entry is resolved to; the class that holds, the first to come, or `None` if a
    /// failure came first.
    pub fn set_class(&self, index: u16, class: ClassRef) -> Option<ClassRef> {
        let v = self.set(index, class as *const _ as usize);
        // SAFETY: entries of this kind hold Class addresses.
        (v > FAILED).then(|| unsafe { &*(v as usize as *const _) })
    }

    /// The resolved field at a Fieldref entry.
    pub fn field(&self, index: u16) -> Option<FieldRef> {
        let v = self.raw(index);
        // SAFETY: entries of this kind hold Field addresses.
        (v > FAILED).then(|| unsafe { &*(v as usize as *const _) })
    }

    pub fn set_field(&self, index: u16, field: FieldRef) {
        self.set(index, field as *const _ as usize);
    }

    /// The resolved method at a Methodref or InterfaceMethodref entry, once an instruction has resolved it
    /// successfully. (For invokespecial: before its selection.)
    pub fn method(&self, index: u16) -> Option<MethodRef> {
        let v = self.raw(index);
        // SAFETY: entries of this kind hold Method addresses.
        (v > FAILED).then(|| unsafe { &*(v as usize as *const _) })
    }

    pub fn set_method(&self, index: u16, method: MethodRef) {
        self.set(index, method as *const _ as usize);
    }

    /// The root slot of a resolved String, MethodHandle, MethodType or Dynamic entry.
    pub fn slot(&self, index: u16) -> Option<&'static RootSlot> {
        let v = self.raw(index);
        // SAFETY: entries of this kind hold RootSlot addresses.
        (v > FAILED).then(|| unsafe { &*(v as usize as *const _) })
    }

    /// Publishes a resolved object; the first to come wins and is returned.
    pub fn set_slot(&self, index: u16, slot: &'static RootSlot) -> Option<&'static RootSlot> {
        let v = self.set(index, slot as *const _ as usize);
        // SAFETY: as above.
        (v > FAILED).then(|| unsafe { &*(v as usize as *const _) })
    }

    /// The symbol of a Utf8 entry (format checking has established its kind).
    pub fn symbol(&self, index: u16) -> Symbol {
        Symbol::intern(self.file().utf8(index).unwrap_or(b""))
    }

    /// The class name at a CONSTANT_Class entry.
    pub fn class_name(&self, index: u16) -> Symbol {
        Symbol::intern(self.file().class_name(index).unwrap_or(b""))
    }

    /// Name and descriptor of a NameAndType entry.
    pub fn name_and_type(&self, index: u16) -> (Symbol, Symbol) {
        let nt = self.file().name_and_type(index).expect("format checking accepted the entry");
        (Symbol::intern(nt.name), Symbol::intern(nt.descriptor))
    }
}
