//! The functions of the JNI table: defined like the `JVM_*` functions of [`crate::jvm::entry`],
//! but not exported.

/// Defines functions that native code calls through the JNI table. The body runs in the VM
/// state with `t` the current thread and is a `VmResult`; arguments and result are converted as
/// [`crate::jvm::entry`] says (an `Oop` is a `jobject` outside).
///
/// ```ignore
/// native_fn! {
///     /// `GetVersion`.
///     fn GetVersion(t) -> i32 { Ok(0x000A_0000) }
/// }
/// ```
#[macro_export]
macro_rules! native_fn {
    ($($(#[$attribute:meta])* fn $name:ident($t:ident $(, $arg:ident: $type:ty)* $(,)?) -> $result:ty $body:block)*) => {$(
        $(#[$attribute])*
        ///
        /// # Safety
        /// For native code: the first argument must be the calling thread's `JNIEnv*`, the
        /// others as the JNI specification demands.
        #[allow(non_snake_case)] // the names are the specification's
        pub unsafe extern "C" fn $name(
            env: *mut std::ffi::c_void
            $(, $arg: <$type as $crate::jvm::entry::Argument>::C)*
        ) -> <$result as $crate::jvm::entry::Reply>::C {
            $crate::jvm::entry::enter::<$result>(env, |$t| {
                $(let $arg = <$type as $crate::jvm::entry::Argument>::from_c($arg);)*
                $body
            })
        }
    )*};
}
