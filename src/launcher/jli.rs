//! Calls the JDK's `libjli`, the library behind every launcher of the JDK.
//!
//! The sequence is that of the JDK's `java`: expand `JDK_JAVA_OPTIONS` and argument files, then
//! `JLI_Launch`. It creates the VM on a new thread, runs `main`, and returns the exit code.

use super::args;
use super::jdk::Jdk;
use std::ffi::{c_char, c_int, c_void, CStr, CString, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// `JLI_List`: a growable array of C strings owned by `libjli`.
#[repr(C)]
struct JliListData {
    elements: *mut *mut c_char,
    size: usize,
    capacity: usize,
}

type JliList = *mut JliListData;

type InitArgProcessing = unsafe extern "C" fn(has_java_args: u8, disable_arg_file: u8);
type ListNew = unsafe extern "C" fn(capacity: usize) -> JliList;
type AddArgsFromEnvVar = unsafe extern "C" fn(args: JliList, variable: *const c_char) -> u8;
type PreprocessArg = unsafe extern "C" fn(arg: *const c_char, expand_source_option: u8) -> JliList;
type ReportMessage = unsafe extern "C" fn(format: *const c_char, ...);
type Launch = unsafe extern "C" fn(
    argc: c_int,
    argv: *mut *mut c_char,
    jargc: c_int,
    jargv: *const *const c_char,
    appclassc: c_int,
    appclassv: *const *const c_char,
    full_version: *const c_char,
    dot_version: *const c_char,
    program_name: *const c_char,
    launcher_name: *const c_char,
    java_args: u8,
    class_path_wildcard: u8,
    javaw: u8,
    ergo: c_int,
) -> c_int;

/// The entry points of `libjli` that a `java` launcher uses.
struct Jli {
    init_arg_processing: InitArgProcessing,
    list_new: ListNew,
    add_args_from_env_var: AddArgsFromEnvVar,
    preprocess_arg: PreprocessArg,
    report_message: ReportMessage,
    launch: Launch,
}

/// Runs the command line `argv` (`argv[0]` included) on the VM in `libjvm_dir` and the class library of
/// `jdk`; returns the exit code.
///
/// # Errors
/// When the JDK's `libjli.so` cannot be loaded or is not of the expected shape.
pub fn launch(jdk: &Jdk, libjvm_dir: &Path, argv: &[OsString]) -> Result<i32, String> {
    let jli = Jli::load(&jdk.home.join("lib/libjli.so"))?;
    let mut args = jli.expand(argv);
    let mut option = b"-XXaltjvm=".to_vec();
    option.extend_from_slice(libjvm_dir.as_os_str().as_bytes());
    let position = {
        let bytes: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        args::alternate_vm_position(&bytes)
    };
    args.insert(position, c_string(option));
    let version = c_string(jdk.runtime_version.clone().into_bytes());

    // libjli keeps pointers to the arguments for as long as the process lives.
    let argc = args.len() as c_int;
    let mut argv: Vec<*mut c_char> = args.into_iter().map(CString::into_raw).collect();
    argv.push(std::ptr::null_mut());
    let argv = Box::leak(argv.into_boxed_slice());
    // SAFETY: argv holds argc strings and a null, all of them leaked; the names and versions are
    // NUL-terminated and outlive the call, which returns only when the VM has ended. The values are
    // those that the JDK's own `java` passes.
    Ok(unsafe {
        (jli.launch)(
            argc,
            argv.as_mut_ptr(),
            0,
            std::ptr::null(),
            0,
            std::ptr::null(),
            version.as_ptr(),
            c"0.0".as_ptr(),
            c"java".as_ptr(),
            c"openjdk".as_ptr(),
            0,
            1,
            0,
            0,
        )
    })
}

impl Jli {
    /// Loads `libjli` and looks up its entry points.
    fn load(path: &Path) -> Result<Jli, String> {
        let file = c_string(path.as_os_str().as_bytes().to_vec());
        // SAFETY: a NUL-terminated path; the library's initializers are the JDK's own.
        let library = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        if library.is_null() {
            return Err(format!("the JDK's launcher library cannot be loaded: {}", last_dl_error()));
        }
        // SAFETY (all of them): the types above are those of the functions in OpenJDK 17's java.h and
        // jli_util.h, and jdk::find has checked the version. The library is never unloaded.
        unsafe {
            Ok(Jli {
                init_arg_processing: std::mem::transmute::<*mut c_void, InitArgProcessing>(symbol(
                    library,
                    c"JLI_InitArgProcessing",
                )?),
                list_new: std::mem::transmute::<*mut c_void, ListNew>(symbol(library, c"JLI_List_new")?),
                add_args_from_env_var: std::mem::transmute::<*mut c_void, AddArgsFromEnvVar>(symbol(
                    library,
                    c"JLI_AddArgsFromEnvVar",
                )?),
                preprocess_arg: std::mem::transmute::<*mut c_void, PreprocessArg>(symbol(
                    library,
                    c"JLI_PreprocessArg",
                )?),
                report_message: std::mem::transmute::<*mut c_void, ReportMessage>(symbol(
                    library,
                    c"JLI_ReportMessage",
                )?),
                launch: std::mem::transmute::<*mut c_void, Launch>(symbol(library, c"JLI_Launch")?),
            })
        }
    }

    /// The arguments with `JDK_JAVA_OPTIONS` inserted and argument files replaced by their content.
    /// Reports what is wrong with them, and ends the process, as `java` does.
    fn expand(&self, argv: &[OsString]) -> Vec<CString> {
        let mut expanded = Vec::with_capacity(argv.len() + 1);
        expanded.push(argv.first().map_or_else(|| c"kiln".to_owned(), |arg| c_string(arg.clone().into_vec())));
        // SAFETY: as in `java`: no built-in arguments, with argument files enabled.
        unsafe { (self.init_arg_processing)(0, 0) };
        // SAFETY: the list is libjli's own and is never freed, as in `java`.
        let (list, found) = unsafe {
            let list = (self.list_new)(8);
            (list, (self.add_args_from_env_var)(list, c"JDK_JAVA_OPTIONS".as_ptr()) != 0)
        };
        if found {
            self.report_java_options();
            // SAFETY: filled by libjli just now.
            expanded.extend(unsafe { strings(list) });
        }
        for arg in argv.iter().skip(1) {
            let arg = c_string(arg.clone().into_vec());
            // SAFETY: a NUL-terminated string. libjli may keep its pointer only in messages.
            let list = unsafe { (self.preprocess_arg)(arg.as_ptr(), 1) };
            if list.is_null() {
                expanded.push(arg);
            } else {
                // SAFETY: a list that libjli has just built for us.
                expanded.extend(unsafe { strings(list) });
            }
        }
        expanded
    }

    /// Says that `_JAVA_OPTIONS` was picked up too, when the launcher is being traced, as `java` does.
    fn report_java_options(&self) {
        if std::env::var_os("_JAVA_LAUNCHER_DEBUG").is_none() {
            return;
        }
        if let Some(value) = std::env::var_os("_JAVA_OPTIONS") {
            let value = c_string(value.into_vec());
            // SAFETY: the format takes two strings.
            unsafe {
                (self.report_message)(
                    c"NOTE: Picked up %s: %s".as_ptr(),
                    c"_JAVA_OPTIONS".as_ptr(),
                    value.as_ptr(),
                );
            }
        }
    }
}

/// The strings of a list.
///
/// # Safety
/// `list` was built by `libjli`: `size` elements, each a NUL-terminated string.
unsafe fn strings(list: JliList) -> Vec<CString> {
    (0..(*list).size).map(|i| CStr::from_ptr(*(*list).elements.add(i)).to_owned()).collect()
}

/// The address of an exported function.
fn symbol(library: *mut c_void, name: &CStr) -> Result<*mut c_void, String> {
    // SAFETY: a handle that dlopen returned, and a NUL-terminated name.
    let address = unsafe { libc::dlsym(library, name.as_ptr()) };
    if address.is_null() {
        return Err(format!("the JDK's launcher library is not of JDK 17: {}", last_dl_error()));
    }
    Ok(address)
}

/// What the dynamic linker says about the last failure.
fn last_dl_error() -> String {
    // SAFETY: dlerror returns null or a NUL-terminated string that is valid until the next dl call.
    unsafe {
        let message = libc::dlerror();
        if message.is_null() {
            "no reason given".to_string()
        } else {
            CStr::from_ptr(message).to_string_lossy().into_owned()
        }
    }
}

/// A C string of bytes that come from the command line, the environment or a path, none of which can
/// hold a NUL; should one do so, it ends there, as it would in C.
fn c_string(mut bytes: Vec<u8>) -> CString {
    if let Some(nul) = bytes.iter().position(|&b| b == 0) {
        bytes.truncate(nul);
    }
    // SAFETY: what could be a NUL was cut off.
    unsafe { CString::from_vec_unchecked(bytes) }
}
