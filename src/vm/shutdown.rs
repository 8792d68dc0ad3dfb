//! Ending the VM.

use crate::compiler::broker;
use crate::exceptions::Thrown;
use crate::heap::layout::Oop;
use crate::interpreter::call::call;
use crate::link::load::load_or_no_class_def;
use crate::meta::loader::boot;
use crate::sym;
use crate::threads::{lifecycle, JavaThread};

/// Waits until the current thread is the last that is no daemon, then runs
/// `java.lang.Shutdown.shutdown()`: the shutdown hooks. What that throws is dropped, as nobody
/// is left to catch it.
pub fn run(t: &JavaThread) {
    lifecycle::await_others(t);
    t.exception.set(Oop::NULL);
    let shut_down = || {
        let class = load_or_no_class_def(t, boot(), sym!("java/lang/Shutdown"))?;
        crate::link::init::initialize(t, class)?;
        let m = class
            .find_declared(sym!("shutdown"), sym!("()V"))
            .expect("Shutdown.shutdown is in this class library (JDK 17 is needed)");
        call(t, m, &[]).map(|_| ())
    };
    if let Err(Thrown { .. }) = shut_down() {
        t.exception.set(Oop::NULL);
    }
}

/// The last that a VM does, however it ends, in a pause: what the options want to know of it is printed.
pub fn before_exit() {
    if let (Some(b), Some(vm)) = (broker::get(), super::try_get()) {
        b.print_statistics(&vm.options.flags);
    }
    if let Some(vm) = super::try_get() {
        crate::threads::deflation::final_audit(&vm.options.flags);
        crate::heap::log::exit();
    }
}
