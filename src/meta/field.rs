//! Run-time fields (JVMS 4.5).

use super::class::ClassRef;
use super::symbol::Symbol;
use crate::classfile::access::{ACC_FINAL, ACC_STATIC, ACC_VOLATILE};
use crate::classfile::MemberInfo;
use crate::heap::layout::BasicType;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A field; lives as long as its class.
pub type FieldRef = &'static Field;

/// One declared or injected field. In metaspace, so that a quickened instruction names it in
/// 32 bits.
#[repr(C)]
pub struct Field {
    holder: AtomicPtr<super::class::Class>,
    /// Byte offset in an instance, or for a static field in the mirror.
    pub offset: u32,
    pub access_flags: u16,
    /// Index in `Class::fields`: HotSpot's slot, which reflection hands back.
    pub index: u16,
    pub basic_type: BasicType,
    /// Added by the VM to a class of the library; not visible to Java.
    pub injected: bool,
    pub name: Symbol,
    pub descriptor: Symbol,
    /// The class-file entry (a position in `ClassFile::fields`); `None` for injected fields.
    pub file_index: Option<u16>,
}

impl Field {
    /// A field whose holder is set once its class has an address.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        name: Symbol,
        descriptor: Symbol,
        access_flags: u16,
        basic_type: BasicType,
        index: u16,
        file_index: Option<u16>,
        offset: u32,
    ) -> Field {
        Field {
            holder: AtomicPtr::new(std::ptr::null_mut()),
            offset,
            access_flags,
            index,
            basic_type,
            injected: file_index.is_none(),
            name,
            descriptor,
            file_index,
        }
    }

    /// Ties the field to its class.
    pub fn set_holder(&self, class: ClassRef) {
        self.holder.store(class as *const _ as *mut _, Ordering::Release)
    }

    /// The declaring class.
    pub fn class(&self) -> ClassRef {
        // SAFETY: set before the field is published.
        unsafe { &*self.holder.load(Ordering::Relaxed) }
    }

    pub fn is_static(&self) -> bool {
        self.access_flags & ACC_STATIC != 0
    }

    pub fn is_final(&self) -> bool {
        self.access_flags & ACC_FINAL != 0
    }

    pub fn is_volatile(&self) -> bool {
        self.access_flags & ACC_VOLATILE != 0
    }

    /// The class-file entry with the field's attributes.
    pub fn member(&self) -> Option<&'static MemberInfo<'static>> {
        self.file_index.map(|i| &self.class().file().fields[i as usize])
    }

    /// Address of a static field's storage: the mirror is pinned, so it is constant.
    #[inline(always)]
    pub fn static_address(&self) -> usize {
        debug_assert!(self.is_static());
        self.class().mirror().address() + self.offset as usize
    }
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}:{}", self.class(), self.name, self.descriptor)
    }
}
