//! Stack traces: recorded in Throwable.backtrace when an exception is made, turned into
//! StackTraceElements when asked for.
//!
//! The backtrace is an `Object[4]`: `long[]` of Method addresses, `int[]` of bytecode indices,
//! `Object[]` of the methods' mirrors, which keep their classes and so the methods alive, and
//! last non-null (the array itself) if the innermost frame was hidden and is not recorded.

use super::{throw, VmResult};
use crate::heap::layout::{BasicType, Oop};
use crate::heap::{access, alloc, strings};
use crate::link::load;
use crate::meta::class::ClassRef;
use crate::meta::method::{method_flags, Method, MethodRef};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::options::Settings;
use crate::threads::stackwalk::{frames, FrameView};
use crate::threads::JavaThread;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// `-XX:MaxJavaStackTraceDepth`; 0 is no limit.
pub static MAX_DEPTH: AtomicUsize = AtomicUsize::new(1024);
/// `-XX:+ShowHiddenFrames`.
pub static SHOW_HIDDEN: AtomicBool = AtomicBool::new(false);
/// `-XX:-StackTraceInThrowable` clears it.
static ENABLED: AtomicBool = AtomicBool::new(true);

/// Has the command line say what stack traces hold.
pub fn configure(settings: &Settings) {
    MAX_DEPTH.store(settings.max_stack_trace_depth, Ordering::Relaxed);
    SHOW_HIDDEN.store(settings.show_hidden_frames, Ordering::Relaxed);
    ENABLED.store(settings.stack_trace_in_throwable, Ordering::Relaxed);
}

/// Records the current stack in `throwable`, leaving out the frames of its own making. If
/// there is no memory for it, the trace stays empty.
pub fn fill_in_stack_trace(t: &JavaThread, throwable: Oop) {
    if !ENABLED.load(Ordering::Relaxed) {
        return;
    }
    access::store_ref(t, throwable, KnownField::ThrowableBacktrace.offset(), Oop::NULL);
    access::store_ref(t, throwable, KnownField::ThrowableStackTrace.offset(), Oop::NULL);
    access::store(throwable, KnownField::ThrowableDepth.offset(), 0i32);
    let saved = t.take_exception();
    let (found, hidden) = visible_frames(t, throwable.class());
    crate::log!(Info, [stacktrace], "{}, {}", throwable.class().external_name(), found.len());
    if record(t, throwable, &found, hidden).is_err() {
        t.take_exception();
    }
    t.exception.set(saved);
}

/// The frames to record, and whether the innermost was left out as hidden.
fn visible_frames(t: &JavaThread, class: ClassRef) -> (Vec<FrameView>, bool) {
    let max = match MAX_DEPTH.load(Ordering::Relaxed) {
        0 => usize::MAX,
        n => n,
    };
    let show_hidden = SHOW_HIDDEN.load(Ordering::Relaxed);
    let throwable = Known::Throwable.get();
    let mut hidden = false;
    let mut found = Vec::new();
    let walk = frames(t)
        .skip_while(|f| f.method.name == "fillInStackTrace" && f.method.class().is_subclass_of(throwable))
        .skip_while(|f| f.method.is_constructor() && class.is_subclass_of(f.method.class()));
    for f in walk {
        if !show_hidden && f.method.has_flag(method_flags::HIDDEN) {
            hidden |= found.is_empty();
            continue;
        }
        found.push(f);
        if found.len() == max {
            break;
        }
    }
    (found, hidden)
}

/// Whether the innermost frame of the exception was hidden.
pub fn top_was_hidden(throwable: Oop) -> bool {
    let all = access::load_ref(throwable, KnownField::ThrowableBacktrace.offset());
    !all.is_null() && !access::array_ref(all, 3).is_null()
}

fn record(t: &JavaThread, throwable: Oop, found: &[FrameView], hidden: bool) -> VmResult<()> {
    let n = found.len() as i32;
    let methods = alloc::array(t, load::primitive_array_class(BasicType::Long), n)?;
    let bcis = alloc::array(t, load::primitive_array_class(BasicType::Int), n)?;
    let object_array = load::array_class(t, Known::Object.get())?;
    let mirrors = alloc::array(t, object_array, n)?;
    let all = alloc::array(t, object_array, 4)?;
    for (i, f) in found.iter().enumerate() {
        access::store(methods, 16 + 8 * i, f.method as *const Method as u64);
        access::store(bcis, 12 + 4 * i, f.bci as i32);
        access::set_array_ref(t, mirrors, i, f.method.class().mirror());
    }
    access::set_array_ref(t, all, 0, methods);
    access::set_array_ref(t, all, 1, bcis);
    access::set_array_ref(t, all, 2, mirrors);
    if hidden {
        access::set_array_ref(t, all, 3, all);
    }
    access::store_ref(t, throwable, KnownField::ThrowableBacktrace.offset(), all);
    access::store(throwable, KnownField::ThrowableDepth.offset(), n);
    Ok(())
}

/// The methods and bytecode indices recorded in `throwable`, innermost first.
pub fn recorded(throwable: Oop) -> Vec<(MethodRef, usize)> {
    let all = access::load_ref(throwable, KnownField::ThrowableBacktrace.offset());
    if all.is_null() {
        return Vec::new();
    }
    let (methods, bcis) = (access::array_ref(all, 0), access::array_ref(all, 1));
    (0..methods.array_length())
        .map(|i| {
            let address = access::load::<u64>(methods, 16 + 8 * i) as usize;
            // SAFETY: the mirror in the third array keeps the method alive.
            let method = unsafe { &*(address as *const Method) };
            (method, access::load::<i32>(bcis, 12 + 4 * i) as usize)
        })
        .collect()
}

/// `StackTraceElement.initStackTraceElements`: fills the elements of `array` (made by Java, one
/// per recorded frame). Throws NullPointerException, IndexOutOfBoundsException.
pub fn init_stack_trace_elements(t: &JavaThread, array: Oop, throwable: Oop) -> VmResult<()> {
    if array.is_null() || throwable.is_null() {
        return Err(throw(t, "java/lang/NullPointerException", None));
    }
    let found = recorded(throwable);
    if found.len() != array.array_length() {
        return Err(throw(t, "java/lang/IndexOutOfBoundsException", None));
    }
    for (i, (method, bci)) in found.into_iter().enumerate() {
        let element = access::array_ref(array, i);
        if element.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", None));
        }
        fill_in(t, element, method, bci)?;
    }
    Ok(())
}

/// `StackTraceElement.initStackTraceElement(element, StackFrameInfo)`.
pub fn init_stack_trace_element(t: &JavaThread, element: Oop, info: Oop) -> VmResult<()> {
    if element.is_null() || info.is_null() {
        return Err(throw(t, "java/lang/NullPointerException", None));
    }
    let member = access::load_ref(info, KnownField::SfiMemberName.offset());
    let resolved = access::load_ref(member, KnownField::MemberNameMethod.offset());
    let address = access::load::<u64>(resolved, KnownField::ResolvedMethodNameMethod.offset()) as usize;
    // SAFETY: ResolvedMethodName.vmholder keeps the method alive.
    let method = unsafe { &*(address as *const Method) };
    let bci = access::load::<i32>(info, KnownField::SfiBci.offset()).max(0) as usize;
    fill_in(t, element, method, bci)
}

/// Source line as StackTraceElement has it: -2 native, -1 unknown.
pub fn line_number(method: MethodRef, bci: usize) -> i32 {
    if method.is_native() {
        return -2;
    }
    method.line_number(bci).map_or(-1, i32::from)
}

/// The SourceFile attribute of a class.
pub fn source_file(class: ClassRef) -> Option<Symbol> {
    let index = class.class_file.as_ref()?.attributes.source_file?;
    Some(class.constants.symbol(index))
}

/// A new StackTraceElement for a frame of a running thread.
pub fn new_stack_trace_element(t: &JavaThread, method: MethodRef, bci: usize) -> VmResult<Oop> {
    let element = alloc::instance(t, Known::StackTraceElement.get())?;
    fill_in(t, element, method, bci)?;
    Ok(element)
}

fn fill_in(t: &JavaThread, element: Oop, method: MethodRef, bci: usize) -> VmResult<()> {
    let class = method.class();
    let set = |field: KnownField, value: Oop| access::store_ref(t, element, field.offset(), value);
    set(KnownField::SteDeclaringClassObject, class.mirror());
    let name = strings::new(t, &class.external_name())?;
    set(KnownField::SteDeclaringClass, strings::intern(t, name)?);
    let loader = class.loader.object.get();
    if !loader.is_null() {
        set(KnownField::SteClassLoaderName, access::load_ref(loader, KnownField::LoaderName.offset()));
    }
    if let Some(module) = class.module().filter(|m| m.is_named()) {
        if let Some(name) = module.name {
            set(KnownField::SteModuleName, strings::intern_symbol(t, name)?);
        }
        if let Some(version) = &module.version {
            let text = strings::new(t, version)?;
            set(KnownField::SteModuleVersion, strings::intern(t, text)?);
        }
    }
    set(KnownField::SteMethodName, strings::intern_symbol(t, method.name)?);
    if let Some(file) = source_file(class) {
        set(KnownField::SteFileName, strings::intern_symbol(t, file)?);
    }
    access::store(element, KnownField::SteLineNumber.offset(), line_number(method, bci));
    Ok(())
}
