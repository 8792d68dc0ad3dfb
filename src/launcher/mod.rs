//! The launcher: find the JDK ([`jdk`]), find our `libjvm.so` ([`vm`]), hand the command line to the
//! JDK's `libjli` ([`jli`]) with an option that names our library ([`args`]).
//!
//! What `libjli` prints and returns is what `java` prints and returns, because it is the same code.

mod args;
mod jdk;
mod jli;
mod vm;

use std::ffi::OsString;

/// The environment variable through which the launcher tells the VM the JDK's home directory. Our
/// `libjvm.so` lies outside any JDK when `kiln` runs it, so it cannot derive `java.home` from its own
/// path as HotSpot does. The VM removes the variable when it starts, so that Java code and child
/// processes do not see it.
pub const JAVA_HOME_FOR_VM: &str = "_KILN_JAVA_HOME";

/// Runs the command line (`argv[0]` included) and returns the exit code of the process.
///
/// # Errors
/// A message without the leading `Error: ` when no usable JDK or `libjvm.so` is found. Whatever is
/// wrong with the command line itself is reported by `libjli`, which may end the process.
pub fn run(argv: Vec<OsString>) -> Result<i32, String> {
    let own = args::take_own_options(argv)?;
    let jdk = jdk::find(own.java_home)?;
    let libjvm_dir = vm::find_libjvm_dir()?;
    std::env::set_var(JAVA_HOME_FOR_VM, &jdk.home);
    jli::launch(&jdk, &libjvm_dir, &own.rest)
}
