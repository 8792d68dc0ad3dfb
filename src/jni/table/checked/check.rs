//! What is checked, and what is said of it.

use super::guarded::{self, Source};
use crate::classfile::mutf8;
use crate::heap::layout::{BasicType, Oop};
use crate::jni::border::c_bytes;
use crate::jni::refs::{self, Handle, RefType};
use crate::jni::table::exceptions::{fatal_error, print_jni_stack};
use crate::jni::table::members::{field_of, method_of};
use crate::link::load;
use crate::meta::class::ClassRef;
use crate::meta::field::FieldRef;
use crate::meta::method::MethodRef;
use crate::meta::well_known::Known;
use crate::threads::state::vm_scope;
use crate::threads::JavaThread;
use crate::vm_out;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::ffi::c_void;

/// When a function may be called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// With no exception pending, outside of critical regions.
    Clean,
    /// Outside of critical regions.
    OutsideCritical,
    /// With no exception pending.
    NoException,
    Always,
}

/// The current thread, which checks something in the VM state.
#[derive(Clone, Copy)]
pub struct Checker<'t>(pub &'t JavaThread);

/// The thread that `env` belongs to, which must be the current one.
pub fn thread(env: *mut c_void) -> &'static JavaThread {
    let Some(t) = JavaThread::current() else {
        vm_out!("FATAL ERROR in native method: Using JNIEnv in non-Java thread\n");
        crate::vm::crash::die()
    };
    if t.env() != env {
        in_vm(t, |c| c.fatal("Using JNIEnv in the wrong thread"));
    }
    t
}

/// Runs checks in the VM state.
pub fn in_vm<R>(t: &JavaThread, f: impl FnOnce(Checker) -> R) -> R {
    let _in_vm = vm_scope(t);
    f(Checker(t))
}

/// What every function of the table begins with; its own checks are `f`.
pub fn enter(env: *mut c_void, when: When, f: impl FnOnce(Checker)) -> &'static JavaThread {
    let t = thread(env);
    in_vm(t, |c| {
        if matches!(when, When::Clean | When::OutsideCritical) && t.vm.jni_checks.critical.get() > 0 {
            vm_out!(
                "Warning: Calling other JNI functions in the scope of Get/ReleasePrimitiveArrayCritical or \
                 Get/ReleaseStringCritical\n"
            );
        }
        if matches!(when, When::Clean | When::NoException) {
            c.exceptions();
        }
        f(c)
    });
    t
}

/// IDs that the table has given out.
static IDS: Mutex<Option<HashSet<usize>>> = Mutex::new(None);

/// Notes an ID for native code.
pub fn give_out(id: *const c_void) -> *const c_void {
    if !id.is_null() {
        IDS.lock().get_or_insert_default().insert(id as usize);
    }
    id
}

fn is_given_out(id: *const c_void) -> bool {
    IDS.lock().as_ref().is_some_and(|ids| ids.contains(&(id as usize)))
}

const WRONG_CLASS_OR_METHOD: &str = "Wrong object class or methodID passed to JNI call";

impl Checker<'_> {
    /// Reports and ends the process.
    pub fn fatal(self, message: &str) -> ! {
        fatal_error(self.0, message)
    }

    pub fn warn(self, message: &str) {
        vm_out!("WARNING in native method: {message}\n");
        print_jni_stack(self.0);
    }

    fn exceptions(self) {
        if self.0.has_pending_exception() {
            self.warn("JNI call made with exception pending");
        }
        if let Some(function) = self.0.vm.jni_checks.unasked.take() {
            let function = function.to_string_lossy();
            self.warn(&format!("JNI call made without checking exceptions when required to from {function}"));
        }
    }

    /// A reference that is not null: what it refers to, null for a cleared weak one.
    pub fn handle(self, handle: Handle) -> Oop {
        if refs::ref_type(self.0, handle) == RefType::Invalid {
            self.fatal("Bad global or local ref passed to JNI");
        }
        // SAFETY: it is valid.
        unsafe { refs::resolve(handle) }
    }

    /// A reference to an object, or null.
    pub fn object(self, handle: Handle) -> Oop {
        if handle.is_null() {
            return Oop::NULL;
        }
        let o = self.handle(handle);
        if o.is_null() {
            self.fatal("Bad global or local ref passed to JNI");
        }
        o
    }

    /// A class; `None` for a primitive type, if that is allowed.
    pub fn class(self, handle: Handle, primitive: bool) -> Option<ClassRef> {
        let mirror = self.handle(handle);
        if mirror.is_null() {
            self.fatal("JNI received a null class");
        }
        if !std::ptr::eq(mirror.class(), Known::Class.get()) {
            self.fatal("JNI received a class argument that is not a class");
        }
        match load::mirror_to_class(mirror) {
            load::MirrorOf::Class(c) => Some(c),
            load::MirrorOf::Primitive(_) if primitive => None,
            load::MirrorOf::Primitive(_) => self.fatal("JNI received a class argument that is not a class"),
        }
    }

    /// A class that exceptions can be of.
    pub fn throwable_class(self, class: ClassRef) {
        if class.is_array() || !class.is_subclass_of(Known::Throwable.get()) {
            self.fatal("JNI Throw or ThrowNew received a class argument that is not a Throwable or Throwable subclass");
        }
    }

    /// An exception to throw; null is only warned of.
    pub fn throwable(self, handle: Handle) {
        match self.object(handle).non_null() {
            Some(o) => self.throwable_class(o.class()),
            None => self.warn("JNI Throw called with NULL throwable"),
        }
    }

    pub fn string(self, handle: Handle) {
        if !self.object(handle).non_null().is_some_and(|o| std::ptr::eq(o.class(), Known::String.get())) {
            self.fatal("JNI string operation received a non-string");
        }
    }

    pub fn array(self, handle: Handle) -> Oop {
        match self.object(handle).non_null().filter(|o| o.class().is_array()) {
            Some(o) => o,
            None => self.fatal("Non-array passed to JNI array operations"),
        }
    }

    pub fn object_array(self, handle: Handle) {
        if self.array(handle).class().is_primitive_array() {
            self.fatal("Object array expected but not received for JNI array operation");
        }
    }

    pub fn primitive_array(self, handle: Handle) -> Oop {
        let array = self.array(handle);
        if !array.class().is_primitive_array() {
            self.fatal("Primitive type array expected but not received for JNI array operation");
        }
        array
    }

    pub fn array_of(self, handle: Handle, element: BasicType) {
        if self.primitive_array(handle).class().element_type != element {
            self.fatal("Array element type mismatch in JNI");
        }
    }

    /// The name that `FindClass` is given.
    ///
    /// # Safety
    /// `name` must be null or a C string.
    pub unsafe fn class_name(self, name: *const c_void) {
        let Some(bytes) = c_bytes(name) else { return };
        let text = String::from_utf8_lossy(bytes);
        if let [b'L', .., b';'] = bytes {
            self.warn(&format!(
                "JNI FindClass received a bad class descriptor \"{text}\".  A correct class descriptor has no \
                 leading \"L\" or trailing \";\".  Incorrect descriptors will not be accepted in future releases."
            ));
        }
        if !mutf8::is_valid(bytes, true) {
            self.fatal(&format!("JNI class name is not a valid UTF8 string \"{text}\""));
        }
    }

    fn method(self, id: *const c_void) -> MethodRef {
        if !is_given_out(id) {
            self.fatal(WRONG_CLASS_OR_METHOD);
        }
        // SAFETY: the table has given it out.
        unsafe { method_of(id) }
    }

    /// The method of a call, and that its class goes with those of the call's class and object, where there are such.
    pub fn call(self, class: Option<Handle>, object: Handle, id: *const c_void) {
        let holder = self.method(id).class();
        let wrong = |c: ClassRef| !c.is_subclass_of(holder);
        if class.and_then(|c| self.class(c, false)).is_some_and(wrong) {
            self.fatal(WRONG_CLASS_OR_METHOD);
        }
        if self.object(object).non_null().is_some_and(|o| wrong(o.class())) {
            self.fatal(WRONG_CLASS_OR_METHOD);
        }
    }

    fn field(self, id: *const c_void, unknown: &str) -> FieldRef {
        if !is_given_out(id) {
            self.fatal(unknown);
        }
        // SAFETY: the table has given it out.
        unsafe { field_of(id) }
    }

    fn has_type(self, f: FieldRef, ty: BasicType) -> bool {
        f.basic_type == ty || (f.basic_type == BasicType::Array && ty == BasicType::Object)
    }

    /// An access to an object's field of this type.
    pub fn instance_field(self, object: Handle, id: *const c_void, ty: BasicType) {
        let f = self.field(id, "Wrong field ID passed to JNI");
        if f.is_static() {
            self.fatal("Static field ID passed to JNI");
        }
        let Some(o) = self.object(object).non_null() else { self.fatal("Null object passed to JNI") };
        if !o.class().is_subclass_of(f.class()) {
            self.fatal("Wrong field ID passed to JNI");
        }
        if !self.has_type(f, ty) {
            self.fatal("Field type (instance) mismatch in JNI get/set field operations");
        }
    }

    /// An access to a static field of this type.
    pub fn static_field(self, class: Handle, id: *const c_void, ty: BasicType) {
        let class = self.class(class, false);
        let f = self.field(id, "Wrong static field ID passed to JNI");
        if !f.is_static() {
            self.fatal("Non-static field ID passed to JNI");
        }
        if !class.is_some_and(|c| c.is_subclass_of(f.class())) {
            self.fatal("Wrong static field ID passed to JNI");
        }
        if !self.has_type(f, ty) {
            self.fatal("Field type (static) mismatch in JNI get/set field operations");
        }
    }

    /// Elements that `function` is to release: their copy, which goes back to the original as `mode` says.
    ///
    /// # Safety
    /// If they are a copy, nobody may use it after its release.
    pub unsafe fn release(self, function: &str, array: Handle, elements: *mut c_void, mode: i32, critical: bool) -> usize {
        const COMMIT: i32 = 1;
        const ABORT: i32 = 2;
        if elements.is_null() {
            vm_out!("{function}: elements vector NULL{array:p}\n");
            self.fatal("Elements vector NULL");
        }
        let Some(copy) = guarded::find(elements) else {
            vm_out!(
                "{function}: release array failed bounds check, incorrect pointer returned ? array: {array:p} \
                 carray: {elements:p}\n"
            );
            self.fatal(&format!("{function}: failed bounds check"));
        };
        let not = match copy.source {
            Source::String => "on something allocated by GetStringChars",
            Source::Utf => "on something allocated by GetStringUTFChars",
            Source::Elements if critical => "on something not allocated by GetPrimitiveArrayCritical",
            Source::Critical if !critical => "on something allocated by GetPrimitiveArrayCritical",
            Source::Elements | Source::Critical => "",
        };
        if !not.is_empty() {
            vm_out!("{function}: called {not}\n");
            self.fatal(&format!("{function} called {not}"));
        }
        if !(0..=ABORT).contains(&mode) {
            vm_out!("{function}: Unrecognized mode {mode} releasing array {array:p} elements {elements:p}\n");
            self.fatal("Unrecognized array release mode");
        }
        if mode != ABORT {
            guarded::write_back(elements, &copy);
        }
        // Critical elements are released in each mode: the array itself was handed out.
        if mode != COMMIT || critical {
            guarded::free(elements, &copy);
        }
        copy.original
    }

    /// Characters that `function` is to release, which `source` must have handed out: the original.
    ///
    /// # Safety
    /// As for [`Checker::release`].
    pub unsafe fn release_string(self, function: &str, source: Source, string: Handle, chars: *mut c_void) -> usize {
        let Some(copy) = guarded::find(chars) else {
            vm_out!("{function}: release chars failed bounds check. string: {string:p} chars: {chars:p}\n");
            self.fatal(&format!("{function}: release chars failed bounds check."));
        };
        if copy.source != source {
            let not = format!("called on something not allocated by {}", function.replace("Release", "Get"));
            vm_out!("{function}: {not}. string: {string:p} chars: {chars:p}\n");
            self.fatal(&format!("{function} {not}"));
        }
        guarded::free(chars, &copy);
        copy.original
    }

    /// Opens (1) or closes (-1) a critical region.
    pub fn critical(self, change: i32) {
        let depth = &self.0.vm.jni_checks.critical;
        depth.set(depth.get().saturating_add_signed(change));
    }
}
