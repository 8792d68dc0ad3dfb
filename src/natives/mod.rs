//! Native methods of the class library that the VM implements itself, without a JNI call:
//! tables of [`VmNative`] functions, bound when their class is defined.

mod lang;
mod method_handle_natives;
mod perf;
mod reflect;
mod scoped_memory;
pub mod slots;
pub mod system;
mod unsafe_access;
mod unsafe_memory;
mod unsafe_objects;
mod unsupported;
mod vector;
mod whitebox;

pub use unsafe_objects::set_unsafe_constants;

use crate::exceptions::VmResult;
use crate::meta::class::ClassRef;
use crate::meta::method::VmNative;
use crate::threads::JavaThread;

/// One native method: its name, descriptor and implementation.
pub type Native = (&'static str, &'static str, VmNative);

/// The natives of one class of the boot loader, by its name with slashes.
pub type ClassNatives = (&'static str, &'static [Native]);

/// Every table. An area adds its own here.
static TABLES: &[&[ClassNatives]] = &[
    lang::TABLE,
    system::TABLE,
    reflect::TABLE,
    UNSAFE,
    &[perf::TABLE, scoped_memory::TABLE, vector::TABLE],
    method_handle_natives::TABLE,
    unsupported::TABLES,
];

const UNSAFE: &[ClassNatives] = &[
    ("jdk/internal/misc/Unsafe", unsafe_access::TABLE),
    ("jdk/internal/misc/Unsafe", unsafe_memory::TABLE),
    ("jdk/internal/misc/Unsafe", unsafe_objects::TABLE),
];

/// `registerNatives` of a class whose natives [`bind`] has bound already.
pub(crate) fn register_natives(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(0)
}

/// Binds the natives of `class`, just defined. A method that this class library does not
/// declare native is left alone: tables may list what only some versions have.
pub fn bind(class: ClassRef) {
    if !class.loader.is_boot() {
        return;
    }
    let of_class = TABLES.iter().copied().flatten().filter(|(name, _)| class.name == *name);
    let natives = of_class.flat_map(|(_, natives)| natives.iter()).chain(whitebox::natives_of(&class.name));
    for (name, descriptor, function) in natives {
        let found = class.methods.iter().find(|m| m.name == *name && m.descriptor == *descriptor && m.is_native());
        if let Some(m) = found {
            m.set_vm_native(*function);
        }
    }
}
