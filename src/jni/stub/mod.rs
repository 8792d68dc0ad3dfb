//! Native call stubs: one small piece of machine code per native signature that moves arguments
//! from Java stack slots to where the C calling convention wants them.
//!
//! A stub only moves values. The transition of the thread's state, with callee-saved registers
//! spilled for the stack scan, is made around it by `threads::state::in_native`; compiled code
//! will get stubs of its own.

#[cfg_attr(target_arch = "aarch64", path = "arm64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x64.rs")]
mod host;

use crate::heap::layout::BasicType;
use crate::meta::method::MethodRef;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::OnceLock;

/// `stub(args, env, class, function)`: calls `function(env, class or this, …)` with the argument
/// slots at `args`; a reference is passed as the address of its slot, or null if the slot holds
/// null. The result is widened to 64 bits (a sub-int by its sign or zero; void gives 0).
pub type Stub = unsafe extern "C" fn(args: *mut u64, env: *mut c_void, class: *mut c_void, function: *const c_void) -> u64;

/// What a stub depends on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signature {
    pub is_static: bool,
    pub parameters: Box<[Kind]>,
    pub result: BasicTypeKey,
}

/// How an argument is passed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// 32 bits in an integer register, sign-extended (all sub-int types are ints on the stack).
    Int,
    Long,
    Float,
    Double,
    /// The address of the slot, or null.
    Reference,
}

/// How a result is widened (a `BasicType` code).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BasicTypeKey(pub u8);

impl Kind {
    fn of(b: BasicType) -> Kind {
        match b {
            BasicType::Long => Kind::Long,
            BasicType::Float => Kind::Float,
            BasicType::Double => Kind::Double,
            BasicType::Object | BasicType::Array => Kind::Reference,
            _ => Kind::Int,
        }
    }

    /// Java stack slots it takes.
    fn slots(self) -> usize {
        match self {
            Kind::Long | Kind::Double => 2,
            _ => 1,
        }
    }
}

/// The stub for a native method; made once per signature, never freed.
pub fn for_method(m: MethodRef) -> Stub {
    let signature = Signature {
        is_static: m.is_static(),
        parameters: m.parameters.iter().map(|&p| Kind::of(p)).collect(),
        result: BasicTypeKey(m.return_type as u8),
    };
    for_signature(&signature)
}

fn for_signature(signature: &Signature) -> Stub {
    static STUBS: OnceLock<Mutex<HashMap<Signature, usize>>> = OnceLock::new();
    let mut stubs = STUBS.get_or_init(Mutex::default).lock();
    let address = *stubs.entry(signature.clone()).or_insert_with(|| {
        let code = host::assemble(signature);
        let address = code.ptr(dynasmrt::AssemblyOffset(0)) as usize;
        // Stubs are few and stay for the life of the process.
        std::mem::forget(code);
        address
    });
    // SAFETY: the assembler made code of this type there.
    unsafe { std::mem::transmute::<usize, Stub>(address) }
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn many(
        env: *mut c_void,
        class: *mut c_void,
        a: i32,
        b: i64,
        c: f32,
        d: f64,
        e: *const u64,
        f: *const u64,
        g: i32,
        h: i64,
        i: f32,
        j: i8,
    ) -> i64 {
        assert_eq!((env as usize, class as usize), (0x10, 0x20));
        assert!(f.is_null());
        let e = *e as i64;
        i64::from(a) + b + c as i64 + d as i64 + e + i64::from(g) + h + i as i64 + i64::from(j)
    }

    #[test]
    fn arguments_of_all_kinds_arrive() {
        use Kind::*;
        let s = Signature {
            is_static: true,
            parameters: [Int, Long, Float, Double, Reference, Reference, Int, Long, Float, Int].into(),
            result: BasicTypeKey(BasicType::Long as u8),
        };
        let f = |x: f32| u64::from(x.to_bits());
        let mut args = [(-1i32) as u32 as u64, 1 << 40, 0, f(3.0), 5.0f64.to_bits(), 0, 7, 0, 11, 1 << 41, 0, f(13.0), (-17i32) as u32 as u64];
        let stub = for_signature(&s);
        // SAFETY: the stub fits the function and the arguments.
        let r = unsafe { stub(args.as_mut_ptr(), 0x10 as *mut c_void, 0x20 as *mut c_void, many as *const c_void) };
        assert_eq!(r as i64, -1 + (1 << 40) + 3 + 5 + 7 + 11 + (1 << 41) + 13 - 17);
    }

    unsafe extern "C" fn narrow(_env: *mut c_void, this: *const u64) -> i32 {
        *this as i32
    }

    #[test]
    fn sub_int_results_are_normalized() {
        for (code, value, want) in [
            (BasicType::Byte, 0x1ff, -1i64 as u64 & 0xffff_ffff),
            (BasicType::Boolean, 0x100, 0),
            (BasicType::Boolean, 0x102, 1),
            (BasicType::Char, 0x1_ffff, 0xffff),
            (BasicType::Short, 0x1_8000, 0xffff_8000),
            (BasicType::Void, 5, 0),
        ] {
            let s = Signature { is_static: false, parameters: Box::default(), result: BasicTypeKey(code as u8) };
            let mut args = [value];
            let stub = for_signature(&s);
            // SAFETY: as above.
            let r = unsafe { stub(args.as_mut_ptr(), std::ptr::null_mut(), std::ptr::null_mut(), narrow as *const c_void) };
            assert_eq!(r & 0xffff_ffff, want, "{code:?}");
        }
    }
}
