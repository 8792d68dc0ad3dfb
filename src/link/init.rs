//! Linking (verification, preparation) and initialization (JVMS 5.4, 5.5).

use super::access;
use crate::exceptions::{throw, throw_with_cause, Thrown, VmResult};
use crate::heap::layout::Oop;
use crate::meta::class::{class_flags, ClassRef, ClassState};
use crate::meta::well_known::{Known, KnownField};
use crate::threads::{state, JavaThread};

/// Verifies and prepares the class and its supers.
pub fn link(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    match class.state() {
        ClassState::Loaded | ClassState::Linking => link_slow(t, class),
        ClassState::Erroneous if !class.has_flag(class_flags::VERIFIED) => Err(erroneous(t, class)),
        _ => Ok(()),
    }
}

fn link_slow(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    if let Some(s) = class.super_class {
        link(t, s)?;
    }
    for i in class.interfaces.iter() {
        link(t, i)?;
    }
    lock_for(t, class);
    if class.state() >= ClassState::Linked {
        unlock(t, class);
        return Ok(());
    }
    let result = verify_and_constrain(t, class);
    if result.is_ok() {
        crate::code::dependencies::class_linked(t, class);
        class.set_state(ClassState::Linked);
    }
    unlock(t, class);
    result
}

/// What linking may fail for. A class whose method tables violate loading constraints stays
/// verified: the next attempt checks only them.
fn verify_and_constrain(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    if !class.has_flag(class_flags::VERIFIED) {
        if needs_verification(class) {
            super::verify::verify(t, class)?;
        }
        class.set_flag(class_flags::VERIFIED);
    }
    super::constraints::check_tables(t, class)
}

/// Boot and platform classes are trusted unless -XX:+BytecodeVerificationLocal; reflection's
/// generated accessors skip verification by design.
fn needs_verification(class: ClassRef) -> bool {
    let vm = crate::vm::get();
    let trusted = class.loader.is_boot() || access::is_platform_loader(class.loader);
    let wanted = if trusted { vm.verify_local() } else { vm.verify_remote() };
    wanted && !class.has_flag(class_flags::MAGIC_ACCESSOR)
}

/// Takes the per-class lock as linking's and initialization's owner; recursive for one thread.
fn lock_for(t: &JavaThread, class: ClassRef) {
    state::blocked(t, || {
        let mut owner = class.init.owner.lock();
        while *owner != 0 && owner_of(*owner) != t.id {
            class.init.changed.wait(&mut owner);
        }
        // Thread in the low half, recursion in the high.
        *owner = if *owner == 0 { t.id | 1 << 48 } else { *owner + (1 << 48) };
    });
}

fn owner_of(word: u64) -> u64 {
    word & ((1 << 48) - 1)
}

fn unlock(t: &JavaThread, class: ClassRef) {
    let mut owner = class.init.owner.lock();
    debug_assert_eq!(owner_of(*owner), t.id);
    *owner -= 1 << 48;
    if *owner >> 48 == 0 {
        *owner = 0;
    }
    class.init.changed.notify_all();
}

/// Initializes the class (JVMS 5.5); returns at once if the current thread is doing so.
#[inline]
pub fn initialize(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    if class.is_initialized() {
        return Ok(());
    }
    initialize_slow(t, class)
}

/// Whether `t` is the thread that initializes the class just now.
pub fn is_being_initialized_by(t: &JavaThread, class: ClassRef) -> bool {
    class.state() == ClassState::BeingInitialized && class.initializing_thread() == t.id
}

#[cold]
#[inline(never)]
fn initialize_slow(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    if is_being_initialized_by(t, class) {
        return Ok(());
    }
    link(t, class)?;
    // Steps 1 to 6.
    enum Next {
        Done,
        Failed,
        Run,
    }
    t.vm.awaited_class.set(Some(class));
    let next = state::blocked(t, || {
        let mut owner = class.init.owner.lock();
        loop {
            match class.state() {
                ClassState::BeingInitialized if class.initializing_thread() != t.id => {
                    class.init.changed.wait(&mut owner);
                }
                ClassState::BeingInitialized | ClassState::Initialized => return Next::Done,
                ClassState::Erroneous => return Next::Failed,
                _ => {
                    class.set_initializing_thread(t.id);
                    class.set_state(ClassState::BeingInitialized);
                    return Next::Run;
                }
            }
        }
    });
    t.vm.awaited_class.set(None);
    crate::threads::safepoint::poll_suspension(t);
    match next {
        Next::Done => return Ok(()),
        Next::Failed => return Err(erroneous(t, class)),
        Next::Run => {}
    }
    // Step 7: superclass, then superinterfaces that declare default methods.
    if !class.is_interface() {
        let supers = || -> VmResult<()> {
            if let Some(s) = class.super_class {
                initialize(t, s)?;
            }
            if class.has_flag(class_flags::HAS_DEFAULTS) {
                initialize_super_interfaces(t, class)?;
            }
            Ok(())
        };
        if let Err(thrown) = supers() {
            record_error(t, class);
            finish(class, ClassState::Erroneous);
            return Err(thrown);
        }
    }
    // Step 9.
    let clinit = class.find_declared(crate::sym!("<clinit>"), crate::sym!("()V")).filter(|m| m.is_static());
    let result = match clinit {
        Some(m) => crate::interpreter::call::call(t, m, &[]).map(|_| ()),
        None => Ok(()),
    };
    let Err(thrown) = result else {
        finish(class, ClassState::Initialized);
        return Ok(());
    };
    // Steps 10 to 12. What is recorded is what the initializer threw, not the wrapper.
    record_error(t, class);
    let e = t.exception.get();
    record_error(t, class);
    let thrown = if e.class().is_subclass_of(Known::Error.get()) {
        thrown
    } else {
        t.take_exception();
        throw_initializer_error(t, e)
    };
    finish(class, ClassState::Erroneous);
    Err(thrown)
}

fn throw_initializer_error(t: &JavaThread, cause: Oop) -> Thrown {
    // ExceptionInInitializerError(Throwable) keeps no detail message.
    let make = || -> VmResult<Oop> {
        let c = super::load::load_or_no_class_def(t, crate::meta::loader::boot(), crate::sym!("java/lang/ExceptionInInitializerError"))?;
        initialize(t, c)?;
        let e = crate::heap::alloc::instance(t, c)?;
        let init = c
            .find_declared(crate::sym!("<init>"), crate::sym!("(Ljava/lang/Throwable;)V"))
            .expect("ExceptionInInitializerError(Throwable)");
        crate::interpreter::call::call(t, init, &[e.address() as u64, cause.address() as u64])?;
        Ok(e)
    };
    match make() {
        Ok(e) => t.set_exception(e),
        Err(thrown) => thrown,
    }
}

fn initialize_super_interfaces(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    for &i in class.interfaces.iter() {
        if i.has_flag(class_flags::HAS_DEFAULTS) {
            initialize_super_interfaces(t, i)?;
        }
        if i.has_flag(class_flags::DECLARES_DEFAULTS) {
            initialize(t, i)?;
        }
    }
    Ok(())
}

fn finish(class: ClassRef, state: ClassState) {
    let owner = class.init.owner.lock();
    class.set_initializing_thread(0);
    class.set_state(state);
    drop(owner);
    class.init.changed.notify_all();
}

/// Keeps what made initialization fail: later attempts name it as their cause.
fn record_error(t: &JavaThread, class: ClassRef) {
    let e = t.exception.get();
    let thrown = t.take_exception();
    // The record is an ExceptionInInitializerError of its own, without the original objects:
    // "Exception java.lang.X: message [in thread "main"]" with the original's trace.
    let message = crate::heap::access::load_ref(e, KnownField::ThrowableDetailMessage.offset());
    let mut text = format!("Exception {}", e.class().external_name());
    if let Some(m) = message.non_null() {
        text.push_str(": ");
        text.push_str(&crate::heap::strings::to_rust(m));
    }
    text.push_str(&format!(" [in thread \"{}\"]", thread_name(t)));
    let _ = throw(t, "java/lang/ExceptionInInitializerError", Some(text));
    let record = t.take_exception();
    let same = record.class().name == "java/lang/ExceptionInInitializerError";
    if same {
        for f in [KnownField::ThrowableBacktrace, KnownField::ThrowableStackTrace] {
            let v = crate::heap::access::load_ref(e, f.offset());
            crate::heap::access::store_ref(t, record, f.offset(), v);
        }
        let depth: i32 = crate::heap::access::load(e, KnownField::ThrowableDepth.offset());
        crate::heap::access::store::<i32>(record, KnownField::ThrowableDepth.offset(), depth);
        class.init_error.set(record);
    }
    let _ = t.set_exception(thrown);
}

/// NoClassDefFoundError for a class that could not be initialized (JVMS 5.5 step 5).
fn erroneous(t: &JavaThread, class: ClassRef) -> Thrown {
    let message = Some(format!("Could not initialize class {class}"));
    match class.init_error.get().non_null() {
        Some(cause) => throw_with_cause(t, "java/lang/NoClassDefFoundError", message, cause),
        None => throw(t, "java/lang/NoClassDefFoundError", message),
    }
}

/// The name of the thread's `java.lang.Thread`.
fn thread_name(t: &JavaThread) -> String {
    let name = t.thread_object.get().non_null().and_then(|o| {
        crate::heap::access::load_ref(o, KnownField::ThreadName.offset()).non_null()
    });
    name.map_or_else(|| "main".to_string(), crate::heap::strings::to_rust)
}
