//! Run-time methods (JVMS 4.6), HotSpot's `Method`.

use super::class::ClassRef;
use super::symbol::Symbol;
use crate::classfile::access::*;
use crate::classfile::{Code, MemberInfo};
use crate::code::compiled::CompiledMethod;
use crate::heap::layout::BasicType;
use crate::interpreter::insn::PreparedCode;
use crate::profile::MethodProfile;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU8, AtomicUsize, Ordering};

/// A method; lives as long as its class.
pub type MethodRef = &'static Method;

/// How an invocation of a method proceeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum MethodKind {
    /// Bytecode.
    Java = 0,
    /// `native`: a JNI function, or a VM function where `vm_native` is set.
    Native = 1,
    /// No code: throws AbstractMethodError.
    Abstract = 2,
    /// Overpass that throws IncompatibleClassChangeError (conflicting defaults).
    ConflictingDefaults = 3,
    /// Signature-polymorphic intrinsics of `java.lang.invoke.MethodHandle`
    /// (one VM-made method per kind and descriptor).
    InvokeBasic = 4,
    LinkToVirtual = 5,
    LinkToStatic = 6,
    LinkToSpecial = 7,
    LinkToInterface = 8,
    /// `invoke`/`invokeExact` themselves, and VarHandle access modes: linked per call site.
    InvokeGeneric = 9,
    /// `linkToNative` (panama's foreign linker).
    LinkToNative = 10,
}

/// Internal method flags.
pub mod method_flags {
    pub const CALLER_SENSITIVE: u32 = 1 << 0;
    pub const FORCE_INLINE: u32 = 1 << 1;
    pub const DONT_INLINE: u32 = 1 << 2;
    /// Not shown in stack traces (`@Hidden`, LambdaForm frames).
    pub const HIDDEN: u32 = 1 << 3;
    /// `<init>` of java.lang.Object: registers finalizers.
    pub const OBJECT_INIT: u32 = 1 << 4;
    /// An empty method body (`return` only).
    pub const EMPTY: u32 = 1 << 5;
    /// Has exception handlers.
    pub const HAS_HANDLERS: u32 = 1 << 6;
    pub const HAS_MONITOR_BYTECODES: u32 = 1 << 7;
    pub const HAS_LOOPS: u32 = 1 << 8;
    /// The intrinsic candidate annotation.
    pub const INTRINSIC_CANDIDATE: u32 = 1 << 9;
    pub const RESERVED_STACK_ACCESS: u32 = 1 << 10;
    /// Made by the VM, not in the class file (overpass, method-handle intrinsic).
    pub const SYNTHETIC_VM: u32 = 1 << 11;
    pub const SCOPED: u32 = 1 << 12;
    /// The compilers gave this method up (bits for quick and optimized).
    pub const NOT_QUICK_COMPILABLE: u32 = 1 << 13;
    pub const NOT_COMPILABLE: u32 = 1 << 14;
    pub const LAMBDA_FORM_COMPILED: u32 = 1 << 15;
    /// The same for on-stack replacements.
    pub const NOT_QUICK_OSR_COMPILABLE: u32 = 1 << 16;
    pub const NOT_OSR_COMPILABLE: u32 = 1 << 17;
    /// `Math.abs(double)`: clears the sign of a NaN too, which its bytecode does not, in the interpreter and in compiled
    /// code alike, as HotSpot. Never compiled itself: what the compilers have is an instruction at its calls.
    pub const MATH_ABS: u32 = 1 << 18;
}

/// `Method::vtable_index` of a method that is never dispatched dynamically
/// (static, private, constructor, final without an inherited entry).
pub const NONVIRTUAL_INDEX: i32 = -2;
/// ... and until linking has assigned one. Interface methods use `itable_index`.
pub const INVALID_INDEX: i32 = -4;

/// A function of the VM that implements a native method directly: no JNI transition, no
/// handles. `args` points at the argument slots on the Java stack (receiver first; long and
/// double take two slots, value in the first). The result is the raw 64 bits of the value
/// (a reference: its wide address). It runs in the in-VM state and may safepoint.
pub type VmNative = for<'a> fn(&'a crate::threads::JavaThread, args: *const u64) -> crate::exceptions::VmResult<u64>;

/// See the module comment. In metaspace: its address fits 32 bits.
#[repr(C)]
pub struct Method {
    // ---- read by machine code: fixed offsets
    /// Entry for calls from compiled code; a stub into the interpreter until compiled. 0 only if the VM runs
    /// without compilers.
    pub compiled_entry: AtomicUsize,
    /// The prepared (quickened) instructions, null until first executed.
    pub prepared: AtomicPtr<PreparedCode>,
    /// The same while calls from the interpreter run it; null while there is compiled code to call.
    pub interpreted: AtomicPtr<PreparedCode>,
    /// The compiled code that calls enter, null if none.
    pub compiled: AtomicPtr<CompiledMethod>,
    /// Invocations in the interpreter and tier-3 code (HotSpot's i).
    pub invocation_counter: AtomicU32,
    /// Back-edges taken (HotSpot's b).
    pub backedge_counter: AtomicU32,
    /// Profile, once warm.
    pub profile: AtomicPtr<MethodProfile>,
    /// JNI function of a native method once linked, else 0.
    pub native_function: AtomicUsize,
    /// Direct VM implementation of a native method; 0 if none. See [`Method::vm_native`].
    pub vm_native: AtomicUsize,
    /// Per-signature native call stub, 0 until made.
    pub native_stub: AtomicUsize,
    class: AtomicPtr<super::class::Class>,
    pub flags: AtomicU32,
    pub vtable_index: AtomicI32,
    /// Index within the itable section of the declaring interface, or INVALID_INDEX.
    pub itable_index: AtomicI32,
    pub access_flags: u16,
    pub max_stack: u16,
    /// Locals including arguments; for natives: the argument slots.
    pub max_locals: u16,
    /// Argument slots including the receiver.
    pub arg_slots: u16,
    pub kind: AtomicU8,
    pub return_type: BasicType,
    /// Compile tier that owns the method now (0: interpreter).
    pub tier: AtomicU8,
    /// Index in `Class::methods`: HotSpot's idnum, which reflection hands back.
    pub index: u16,
    // ---- the rest is for Rust code
    pub name: Symbol,
    pub descriptor: Symbol,
    /// The original bytecode, empty for native and abstract methods.
    pub code: &'static [u8],
    /// Position in `ClassFile::methods`; `None` for VM-made methods.
    pub file_index: Option<u16>,
    /// Type of each parameter (no receiver).
    pub parameters: Box<[BasicType]>,
    /// For overpass and redirected methods: the message of the error to throw.
    pub overpass_message: Option<String>,
    /// For method-handle intrinsics with a polymorphic receiver: unused slots for later data.
    pub intrinsic_id: AtomicU32,
}

/// Offsets for machine code.
pub mod offsets {
    use super::Method;
    use std::mem::offset_of;
    pub const COMPILED_ENTRY: usize = offset_of!(Method, compiled_entry);
    pub const INVOCATION_COUNTER: usize = offset_of!(Method, invocation_counter);
    pub const BACKEDGE_COUNTER: usize = offset_of!(Method, backedge_counter);
    pub const CLASS: usize = offset_of!(Method, class);
    pub const ITABLE_INDEX: usize = offset_of!(Method, itable_index);
}

// SAFETY: shared mutable parts are atomics; the rest is set before publication.
unsafe impl Sync for Method {}
unsafe impl Send for Method {}

impl Method {
    /// A method not yet tied to a class or to any code.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        name: Symbol,
        descriptor: Symbol,
        access_flags: u16,
        kind: MethodKind,
        index: u16,
        file_index: Option<u16>,
        code: Option<&'static Code<'static>>,
    ) -> Method {
        let (parameters, return_type) = parse_types(descriptor.as_bytes());
        let receiver = usize::from(access_flags & ACC_STATIC == 0);
        let arg_slots = receiver + parameters.iter().map(|p| p.slots()).sum::<usize>();
        Method {
            compiled_entry: AtomicUsize::new(crate::code::stubs::get().map_or(0, |s| s.call_out)),
            prepared: AtomicPtr::new(std::ptr::null_mut()),
            interpreted: AtomicPtr::new(std::ptr::null_mut()),
            compiled: AtomicPtr::new(std::ptr::null_mut()),
            invocation_counter: AtomicU32::new(0),
            backedge_counter: AtomicU32::new(0),
            profile: AtomicPtr::new(std::ptr::null_mut()),
            native_function: AtomicUsize::new(0),
            vm_native: AtomicUsize::new(0),
            native_stub: AtomicUsize::new(0),
            class: AtomicPtr::new(std::ptr::null_mut()),
            flags: AtomicU32::new(0),
            vtable_index: AtomicI32::new(INVALID_INDEX),
            itable_index: AtomicI32::new(INVALID_INDEX),
            access_flags,
            max_stack: code.map_or(0, |c| c.max_stack),
            max_locals: code.map_or(arg_slots as u16, |c| c.max_locals),
            arg_slots: arg_slots as u16,
            kind: AtomicU8::new(kind as u8),
            return_type,
            tier: AtomicU8::new(0),
            index,
            name,
            descriptor,
            code: code.map_or(&[], |c| c.code),
            file_index,
            parameters,
            overpass_message: None,
            intrinsic_id: AtomicU32::new(0),
        }
    }

    /// The declaring class.
    #[inline(always)]
    pub fn class(&self) -> ClassRef {
        // SAFETY: set before the method is published.
        unsafe { &*self.class.load(Ordering::Relaxed) }
    }

    /// Ties the method to its class.
    pub fn set_class(&self, class: ClassRef) {
        self.class.store(class as *const _ as *mut _, Ordering::Release)
    }

    /// Frees what the method has outside metaspace.
    ///
    /// # Safety
    /// Nothing uses the method any more, now or later; its compiled code is gone.
    pub(super) unsafe fn free(&'static self) {
        let prepared = self.prepared.load(Ordering::Acquire);
        if !prepared.is_null() {
            drop(Box::from_raw(prepared));
        }
        let profile = self.profile.load(Ordering::Acquire);
        if !profile.is_null() {
            drop(Box::from_raw(profile));
        }
        std::ptr::drop_in_place(self as *const Method as *mut Method);
    }

    #[inline(always)]
    pub fn kind(&self) -> MethodKind {
        // SAFETY: only values of MethodKind are stored.
        unsafe { std::mem::transmute::<u8, MethodKind>(self.kind.load(Ordering::Relaxed)) }
    }

    #[inline(always)]
    pub fn is_static(&self) -> bool {
        self.access_flags & ACC_STATIC != 0
    }
    pub fn is_private(&self) -> bool {
        self.access_flags & ACC_PRIVATE != 0
    }
    pub fn is_public(&self) -> bool {
        self.access_flags & ACC_PUBLIC != 0
    }
    pub fn is_protected(&self) -> bool {
        self.access_flags & ACC_PROTECTED != 0
    }
    pub fn is_package_private(&self) -> bool {
        self.access_flags & (ACC_PUBLIC | ACC_PROTECTED | ACC_PRIVATE) == 0
    }
    /// Declared final, or in a final class.
    pub fn is_final(&self) -> bool {
        self.access_flags & ACC_FINAL != 0 || self.class().is_final()
    }
    pub fn is_abstract(&self) -> bool {
        self.access_flags & ACC_ABSTRACT != 0
    }
    pub fn is_native(&self) -> bool {
        self.access_flags & ACC_NATIVE != 0
    }
    #[inline(always)]
    pub fn is_synchronized(&self) -> bool {
        self.access_flags & ACC_SYNCHRONIZED != 0
    }
    pub fn is_varargs(&self) -> bool {
        self.access_flags & ACC_VARARGS != 0
    }
    /// `<init>`.
    pub fn is_constructor(&self) -> bool {
        self.name.as_bytes() == b"<init>"
    }
    /// `<clinit>` as JVMS 2.9.2 defines it.
    pub fn is_class_initializer(&self) -> bool {
        self.name.as_bytes() == b"<clinit>"
    }
    #[inline(always)]
    pub fn has_flag(&self, flag: u32) -> bool {
        self.flags.load(Ordering::Relaxed) & flag != 0
    }
    pub fn set_flag(&self, flag: u32) {
        self.flags.fetch_or(flag, Ordering::Relaxed);
    }

    pub fn clear_flag(&self, flag: u32) {
        self.flags.fetch_and(!flag, Ordering::Relaxed);
    }

    /// The direct VM implementation, if bound.
    #[inline(always)]
    pub fn vm_native(&self) -> Option<VmNative> {
        let p = self.vm_native.load(Ordering::Acquire);
        // SAFETY: only VmNative function pointers are stored.
        (p != 0).then(|| unsafe { std::mem::transmute::<usize, VmNative>(p) })
    }

    /// Binds the direct VM implementation.
    pub fn set_vm_native(&self, f: VmNative) {
        self.vm_native.store(f as usize, Ordering::Release)
    }

    /// The class-file entry with attributes; `None` for VM-made methods.
    pub fn member(&self) -> Option<&'static MemberInfo<'static>> {
        self.file_index.map(|i| &self.class().file().methods[i as usize])
    }

    /// The Code attribute.
    pub fn code_attribute(&self) -> Option<&'static Code<'static>> {
        self.member().and_then(|m| m.code.as_deref())
    }

    /// Source line of the bytecode at `bci` (JVMS 4.7.12), if recorded.
    pub fn line_number(&self, bci: usize) -> Option<u16> {
        let table = &self.code_attribute()?.line_numbers;
        table
            .iter()
            .filter(|e| e.start_pc as usize <= bci)
            .max_by_key(|e| e.start_pc)
            .map(|e| e.line)
    }

    /// "pkg.Class.method(Descriptor)" in HotSpot's `external_name` form:
    /// `void pkg.Class.method(int, java.lang.String)`.
    pub fn external_name(&self) -> String {
        let (params, ret) = external_types(self.descriptor.as_bytes());
        format!("{} {}.{}({})", ret, self.class().external_name(), self.name, params.join(", "))
    }

    /// `pkg.Class.method(DescriptorParams)Ret`, HotSpot's `name_and_sig_as_C_string`.
    pub fn name_and_signature(&self) -> String {
        format!("{}.{}{}", self.class().external_name(), self.name, self.descriptor)
    }
}

/// The parameters' types and the return type of a method descriptor that passed format
/// checking.
pub fn parse_types(descriptor: &[u8]) -> (Box<[BasicType]>, BasicType) {
    let mut params = Vec::new();
    let mut i = 1;
    while i < descriptor.len() && descriptor[i] != b')' {
        let t = BasicType::from_descriptor(descriptor[i]).unwrap_or(BasicType::Void);
        params.push(t);
        while descriptor.get(i) == Some(&b'[') {
            i += 1;
        }
        if descriptor.get(i) == Some(&b'L') {
            while i < descriptor.len() && descriptor[i] != b';' {
                i += 1;
            }
        }
        i += 1;
    }
    let ret = descriptor.get(i + 1).and_then(|&c| BasicType::from_descriptor(c)).unwrap_or(BasicType::Void);
    (params.into(), ret)
}

/// External (Java source) names of the parameter types and the return type.
pub fn external_types(descriptor: &[u8]) -> (Vec<String>, String) {
    fn one(d: &[u8], i: &mut usize) -> String {
        let mut dims = 0;
        while d.get(*i) == Some(&b'[') {
            dims += 1;
            *i += 1;
        }
        let mut s = match d.get(*i) {
            Some(b'L') => {
                let end = d[*i..].iter().position(|&b| b == b';').map_or(d.len(), |p| *i + p);
                let name = String::from_utf8_lossy(&d[*i + 1..end]).replace('/', ".");
                *i = end;
                name
            }
            Some(&c) => BasicType::from_descriptor(c).map_or("?", |t| t.java_name()).to_string(),
            None => String::new(),
        };
        *i += 1;
        for _ in 0..dims {
            s.push_str("[]");
        }
        s
    }
    let mut i = 1;
    let mut params = Vec::new();
    while i < descriptor.len() && descriptor[i] != b')' {
        params.push(one(descriptor, &mut i));
    }
    i += 1;
    (params, one(descriptor, &mut i))
}

impl PartialEq for Method {
    fn eq(&self, other: &Method) -> bool {
        std::ptr::eq(self, other)
    }
}
impl Eq for Method {}
impl std::hash::Hash for Method {
    fn hash<H: std::hash::Hasher>(&self, h: &mut H) {
        h.write_usize(self as *const Method as usize)
    }
}
impl std::fmt::Debug for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name_and_signature())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_descriptors() {
        let (p, r) = parse_types(b"(I[[Ljava/lang/String;JD)[I");
        assert_eq!(&*p, &[BasicType::Int, BasicType::Array, BasicType::Long, BasicType::Double]);
        assert_eq!(r, BasicType::Array);
        let (p, r) = external_types(b"(I[[Ljava/lang/String;J)V");
        assert_eq!(p, ["int", "java.lang.String[][]", "long"]);
        assert_eq!(r, "void");
    }
}
