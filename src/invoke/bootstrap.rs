//! Bootstrap specifiers (JVMS 4.7.23, 5.4.3.6): the bootstrap method of a dynamic constant or
//! call site, its name, type and static arguments, resolved for the call into the library.

use super::constants::{cached_constant, constant_object};
use super::{boxes, method_type};
use crate::classfile::tag;
use crate::classfile::BootstrapMethod;
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::access::{load_ref, set_array_ref, store};
use crate::heap::alloc;
use crate::heap::layout::{BasicType, Oop};
use crate::heap::strings;
use crate::interpreter::call::call;
use crate::link::{init, load};
use crate::meta::class::ClassRef;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{method, Known, KnownField};
use crate::threads::JavaThread;
use std::sync::LazyLock;

/// Static arguments are pushed rather than pulled if there are at most this many and all are
/// resolved already.
const SMALL_ARITY: usize = 5;

/// `-XX:UseBootstrapCallInfo`: 0 never has the library pull the arguments (but against
/// recursion), 1 where it may be of use, 2 unless all are resolved, 3 and above always.
static CALL_INFO_MODE: LazyLock<i64> = LazyLock::new(|| crate::vm::get().options.flags.signed("UseBootstrapCallInfo"));

/// A Dynamic or InvokeDynamic entry with its bootstrap method.
#[derive(Clone, Copy)]
pub struct Specifier {
    pub holder: ClassRef,
    /// Pool index of the entry.
    pub index: u16,
    pub name: Symbol,
    pub descriptor: Symbol,
    pub bootstrap: &'static BootstrapMethod<'static>,
}

/// A specifier whose parts are objects.
pub struct Resolved {
    pub bootstrap_method: Oop,
    pub name: Oop,
    /// MethodType of a call site, Class of a constant.
    pub ty: Oop,
    /// `null`: none; an `int[]` {count, pool index}: to be pulled by the library; an
    /// `Object[]`; else the single one.
    pub arguments: Oop,
}

/// What becomes of arguments not yet resolved.
#[derive(Clone, Copy)]
pub enum Unresolved {
    Resolve,
    /// This object stands for them.
    Replace(Oop),
}

impl Specifier {
    /// The specifier at a Dynamic or InvokeDynamic entry; `None` if it is another entry.
    pub fn at(holder: ClassRef, index: u16) -> Option<Specifier> {
        let (bootstrap, nt) = holder.constants.file().dynamic(index)?;
        // SAFETY: the class file lives as long as its class.
        let file: &'static crate::classfile::ClassFile<'static> = unsafe { &*(holder.file() as *const _) };
        Some(Specifier {
            holder,
            index,
            name: Symbol::intern(nt.name),
            descriptor: Symbol::intern(nt.descriptor),
            bootstrap: file.attributes.bootstrap_methods.get(bootstrap as usize)?,
        })
    }

    /// An `invokedynamic` call site rather than a constant.
    pub fn is_call_site(&self) -> bool {
        self.descriptor.as_bytes().first() == Some(&b'(')
    }

    /// Resolves the bootstrap method, name, type and static arguments, in this order. What is
    /// thrown has been through [`wrap`].
    pub fn resolve(&self, t: &JavaThread) -> VmResult<Resolved> {
        self.resolve_parts(t).map_err(|thrown| wrap(t, thrown))
    }

    fn resolve_parts(&self, t: &JavaThread) -> VmResult<Resolved> {
        let bootstrap_method = constant_object(t, self.holder, self.bootstrap.method_ref)?;
        let name = strings::from_mutf8(t, self.name.as_bytes())?;
        let ty = self.resolve_type(t)?;
        let arguments = self.resolve_arguments(t, bootstrap_method)?;
        Ok(Resolved { bootstrap_method, name, ty, arguments })
    }

    /// The MethodType or Class of the descriptor.
    pub fn resolve_type(&self, t: &JavaThread) -> VmResult<Oop> {
        if self.is_call_site() {
            method_type::find(t, self.descriptor, Some(self.holder))
        } else {
            method_type::mirror_for(t, self.descriptor.as_bytes(), self.holder)
        }
    }

    fn resolve_arguments(&self, t: &JavaThread, bootstrap_method: Oop) -> VmResult<Oop> {
        let count = self.bootstrap.argument_count();
        let mode = *CALL_INFO_MODE;
        if count == 0 && mode < 2 {
            return Ok(Oop::NULL);
        }
        if self.pulls_arguments(t, bootstrap_method, mode)? {
            let ints = alloc::array(t, load::primitive_array_class(BasicType::Int), 2)?;
            let base = ints.class().array_base();
            store::<i32>(ints, base, count as i32);
            store::<i32>(ints, base + 4, i32::from(self.index));
            return Ok(ints);
        }
        let array = object_array(t, count)?;
        self.copy_arguments(t, 0, count, array, 0, Unresolved::Resolve)?;
        let first = crate::heap::access::array_ref(array, 0);
        // Arrays and null mean something else in this position.
        Ok(if count == 1 && !first.is_null() && !first.class().is_array() { first } else { array })
    }

    /// Whether the library is to pull the arguments (`BootstrapCallInfo`): for bootstrap
    /// methods of two parameters, and for constants whose arguments are unresolved constants,
    /// so that endless recursion happens in Java. `mode` is [`CALL_INFO_MODE`].
    fn pulls_arguments(&self, t: &JavaThread, bootstrap_method: Oop, mode: i64) -> VmResult<bool> {
        let mut pull = match mode {
            0 => false,
            1 => {
                let ty = load_ref(bootstrap_method, KnownField::MethodHandleType.offset());
                load_ref(ty, KnownField::MethodTypePtypes.offset()).array_length() == 2
            }
            _ => true,
        };
        if !pull && !self.is_call_site() {
            for i in self.bootstrap.arguments() {
                let dynamic = self.holder.constants.file().tag(i) == tag::DYNAMIC;
                if dynamic && cached_constant(t, self.holder, i)?.is_none() {
                    pull = true;
                    break;
                }
            }
        }
        if pull && self.bootstrap.argument_count() <= SMALL_ARITY && mode <= 2 {
            let mut all_resolved = true;
            for i in self.bootstrap.arguments() {
                if cached_constant(t, self.holder, i)?.is_none() {
                    all_resolved = false;
                    break;
                }
            }
            pull = !all_resolved;
        }
        Ok(pull)
    }

    /// Copies arguments `start..end` to `array` from `position`. Throws LinkageError if a range
    /// is wrong.
    pub fn copy_arguments(
        &self,
        t: &JavaThread,
        start: usize,
        end: usize,
        array: Oop,
        position: usize,
        unresolved: Unresolved,
    ) -> VmResult<()> {
        let count = self.bootstrap.argument_count();
        let room = if array.is_null() { 0 } else { array.array_length() };
        if start > end || end > count || array.is_null() || position + (end - start) > room {
            return Err(throw(t, "java/lang/LinkageError", Some("bad BSM argument access".into())));
        }
        for (k, i) in self.bootstrap.arguments().skip(start).take(end - start).enumerate() {
            let value = match unresolved {
                Unresolved::Resolve => constant_object(t, self.holder, i)?,
                Unresolved::Replace(by) => cached_constant(t, self.holder, i)?.unwrap_or(by),
            };
            set_array_ref(t, array, position + k, value);
        }
        Ok(())
    }

    /// The number of static arguments as an Integer.
    pub fn boxed_argument_count(&self, t: &JavaThread) -> VmResult<Oop> {
        boxes::new(t, BasicType::Int, self.bootstrap.argument_count() as u64)
    }
}

/// A new `Object[]`.
pub fn object_array(t: &JavaThread, length: usize) -> VmResult<Oop> {
    let class = load::array_class(t, Known::Object.get())?;
    alloc::array(t, class, length as i32)
}

/// "Linking exceptions" of JVMS 6.5.invokedynamic: what is no Error is wrapped in a
/// BootstrapMethodError.
pub fn wrap(t: &JavaThread, thrown: Thrown) -> Thrown {
    let e = t.exception.get();
    if e.class().is_subclass_of(Known::Error.get()) {
        return thrown;
    }
    let cause = t.take_exception();
    match make_wrapper(t, cause) {
        Ok(error) => t.set_exception(error),
        Err(other) => other,
    }
}

fn make_wrapper(t: &JavaThread, cause: Oop) -> VmResult<Oop> {
    let class = Known::BootstrapMethodError.get();
    init::initialize(t, class)?;
    let error = alloc::instance(t, class)?;
    let constructor = method(Known::BootstrapMethodError, "<init>", "(Ljava/lang/Throwable;)V");
    call(t, constructor, &[error.address() as u64, cause.address() as u64])?;
    Ok(error)
}
