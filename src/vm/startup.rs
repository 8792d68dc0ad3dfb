//! Creating the VM: from the options of `JNI_CreateJavaVM` to a booted class library
//! (`System.initPhase1` to 3).

use super::{get, Vm, VM, VM_NAME, VM_VENDOR, VM_VERSION};
use crate::classpath::BootPath;
use crate::exceptions::{backtrace, VmResult};
use crate::heap::access::store;
use crate::heap::layout::Oop;
use crate::heap::roots::{self, Handle};
use crate::heap::{self, alloc, strings};
use crate::interpreter::call::call;
use crate::link::{init, load as loading};
use crate::meta::loader;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{method, Known, KnownField};
use crate::options::{ExecutionMode, Options, Plan};
use crate::profile::thresholds::Thresholds;
use crate::threads::{lifecycle, JavaThread};
use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;

/// JNI_ERR.
const JNI_ERR: i32 = -1;
/// JNI_ENOMEM.
const JNI_ENOMEM: i32 = -4;

/// Creates the VM; the calling thread becomes the main thread. `Err` is the JNI code to return,
/// everything there is to say has been printed.
pub fn create(options: Vec<OsString>, ignore_unrecognized: bool) -> Result<&'static JavaThread, i32> {
    crate::observe::log::uptime();
    super::crash::install_panic_hook();
    crate::jvm::management::mark_start();
    let environment = |name: &str| std::env::var_os(name);
    let mut options = Options::parse(&options, &environment, ignore_unrecognized).map_err(|e| e.report())?;
    options.install();
    super::crash::install_handlers(&options.flags);
    let paths = crate::os::java_home::find().map_err(|m| init_error(&m))?;
    let append = Some(options.boot_class_path_append.as_os_str()).filter(|a| !a.is_empty());
    let mut boot_path = BootPath::open(&paths.java_home, append).map_err(|e| init_error(&e.to_string()))?;
    for (module, path) in &options.module_patches {
        boot_path.patch(module, path);
    }
    define_properties(&mut options, &paths);
    let settings = options.settings.clone();
    let vm = Vm {
        options,
        paths,
        boot_path,
        module_system_ready: AtomicBool::new(false),
        booted: AtomicBool::new(false),
    };
    if VM.set(vm).is_err() {
        return Err(JNI_ERR);
    }
    crate::observe::perf_data::initialize();
    if let Err(m) = heap::init(&heap_config(get())) {
        init_error(&m);
        return Err(JNI_ENOMEM);
    }
    if settings.mode != ExecutionMode::Interpreted {
        let always = settings.mode == ExecutionMode::Compiled;
        let thresholds = Thresholds::new(&get().options.flags, always, settings.processors);
        crate::profile::policy::set_notify(&thresholds);
        let reserved = get().options.flags.unsigned("ReservedCodeCacheSize") as usize;
        if let Err(m) = crate::code::initialize(reserved) {
            return Err(init_error(&m));
        }
    }
    roots::register_scanner(|f| loading::primitive_mirror_slots().iter().for_each(f));
    lifecycle::set_stack_bytes(settings.thread_stack);
    lifecycle::set_jni_functions(crate::jni::table::functions(settings.check_jni));
    backtrace::configure(&settings);
    let t = lifecycle::attach(false).map_err(|m| {
        init_error(&m);
        JNI_ENOMEM
    })?;
    if boot(t).is_err() {
        report_boot_failure(t);
        return Err(JNI_ERR);
    }
    match crate::compiler::world::run(t, &get().options) {
        Ok(None) => {}
        Ok(Some(good)) => crate::os::console::exit(i32::from(!good)),
        Err(m) => fail(&m),
    }
    Ok(t)
}

/// HotSpot's two lines; the launcher adds its own.
fn init_error(message: &str) -> i32 {
    crate::vm_out!("Error occurred during initialization of VM\n");
    crate::vm_out!("{message}\n");
    JNI_ERR
}

/// Ends the process: start-up met what no Java exception can tell yet.
pub fn fail(message: &str) -> ! {
    init_error(message);
    crate::os::console::exit(1)
}

fn report_boot_failure(t: &JavaThread) {
    crate::vm_out!("Error occurred during initialization of VM\n");
    let e = t.take_exception();
    if e.is_null() {
        return;
    }
    let mut line = e.class().external_name();
    if let Some(m) = crate::heap::access::load_ref(e, KnownField::ThrowableDetailMessage.offset()).non_null() {
        line.push_str(": ");
        line.push_str(&strings::to_rust(m));
    }
    crate::vm_out!("{line}\n");
    for (method, bci) in crate::exceptions::backtrace::recorded(e) {
        let line = crate::exceptions::backtrace::line_number(method, bci);
        crate::vm_out!("\tat {}.{}({}:{line})\n", method.class(), method.name, method.class());
    }
}

fn define_properties(options: &mut Options, paths: &crate::os::java_home::JdkPaths) {
    let info = options.settings.mode.info();
    let p = &mut options.properties;
    p.define("java.home", paths.java_home.as_os_str());
    p.define_default("sun.boot.library.path", paths.boot_library_path.as_os_str());
    p.define_default("java.library.path", &paths.library_path);
    p.define("java.vm.specification.name", "Java Virtual Machine Specification");
    p.define("java.vm.specification.vendor", "Oracle Corporation");
    p.define("java.vm.specification.version", "17");
    p.define("java.vm.version", VM_VERSION);
    p.define("java.vm.name", VM_NAME);
    p.define("java.vm.vendor", VM_VENDOR);
    p.define("java.vm.info", info);
    p.define("java.vm.compressedOopsMode", "Zero based");
    p.define("jdk.debug", "release");
    if let Some(a) = Some(&options.boot_class_path_append).filter(|a| !a.is_empty()).cloned() {
        options.properties.define("jdk.boot.class.path.append", a);
    }
}

fn boot(t: &'static JavaThread) -> VmResult<()> {
    strings::set_compact(get().options.flags.bool("CompactStrings"));
    let boot_loader = loader::boot();
    // java.lang.Class first: mirrors, and with them all statics, are laid out behind it.
    let load_known = |k: Known| loading::load_or_no_class_def(t, boot_loader, Symbol::of(k.name()));
    load_known(Known::Class)?;
    load_known(Known::Cloneable)?;
    load_known(Known::Serializable)?;
    loading::create_primitive_arrays(t)?;
    load_known(Known::String)?;
    loading::create_early_mirrors(t)?;
    for &k in Known::ALL {
        load_known(k)?;
    }
    // Before anything initializes Unsafe, which copies the constants.
    // Before anything can initialize Unsafe, whose constants are copies of these.
    crate::natives::set_unsafe_constants(t)?;
    init::initialize(t, Known::String.get())?;
    strings::publish_compact();
    for k in [Known::System, Known::Class, Known::ThreadGroup, Known::Thread] {
        init::initialize(t, k.get())?;
    }
    create_main_thread(t)?;
    init::initialize(t, Known::Module.get())?;
    // Before anything initializes Unsafe, which copies them.
    for k in [Known::Method, Known::Finalizer] {
        init::initialize(t, k.get())?;
    }
    call(t, method(Known::System, "initPhase1", "()V"), &[])?;
    crate::os::signals::start_dispatcher(t)?;
    crate::observe::attach::start(t)?;
    if let Err(m) = crate::compiler::broker::start(&get().options) {
        fail(&m);
    }
    if let Err(m) = crate::threads::deflation::start(&get().options.flags) {
        fail(&m);
    }
    crate::observe::value_based::start(&get().options.flags);
    crate::exceptions::preallocated::initialize(t)?;
    for name in [
        "java/lang/OutOfMemoryError",
        "java/lang/NullPointerException",
        "java/lang/ClassCastException",
        "java/lang/ArrayStoreException",
        "java/lang/ArithmeticException",
        "java/lang/StackOverflowError",
        "java/lang/IllegalMonitorStateException",
        "java/lang/IllegalArgumentException",
    ] {
        let c = loading::load_or_no_class_def(t, boot_loader, Symbol::of(name))?;
        init::initialize(t, c)?;
    }
    init::initialize(t, Known::MethodHandle.get())?;
    init::initialize(t, Known::ResolvedMethodName.get())?;
    init::initialize(t, Known::MemberName.get())?;
    init::initialize(t, Known::MethodHandleNatives.get())?;
    let debug = u64::from(crate::log_enabled!(Debug, [init]));
    let to_stderr = u64::from(get().options.flags.bool("DisplayVMOutputToStderr"));
    let status = call(t, method(Known::System, "initPhase2", "(ZZ)I"), &[to_stderr, debug])? as i32;
    if status != 0 {
        // initPhase2 has printed why.
        crate::os::console::exit(1);
    }
    get().module_system_ready.store(true, Ordering::Release);
    call(t, method(Known::System, "initPhase3", "()V"), &[])?;
    get().booted.store(true, Ordering::Release);
    Ok(())
}

fn create_main_thread(t: &'static JavaThread) -> VmResult<()> {
    let group_class = Known::ThreadGroup.get();
    let system = alloc::instance(t, group_class)?;
    call(t, method(Known::ThreadGroup, "<init>", "()V"), &[system.address() as u64])?;
    let main_group = alloc::instance(t, group_class)?;
    let name = strings::new(t, "main")?;
    let init = method(Known::ThreadGroup, "<init>", "(Ljava/lang/ThreadGroup;Ljava/lang/String;)V");
    call(t, init, &[main_group.address() as u64, system.address() as u64, name.address() as u64])?;
    let groups = GROUPS.get_or_init(|| (Handle::new(system), Handle::new(main_group)));
    debug_assert!(groups.0.get() == system);
    let thread = alloc::instance(t, Known::Thread.get())?;
    store::<i32>(thread, KnownField::ThreadPriority.offset(), 5);
    lifecycle::set_thread_object(t, thread);
    let init = method(Known::Thread, "<init>", "(Ljava/lang/ThreadGroup;Ljava/lang/String;)V");
    call(t, init, &[thread.address() as u64, main_group.address() as u64, name.address() as u64])?;
    lifecycle::set_thread_object(t, thread);
    Ok(())
}

static GROUPS: OnceLock<(Handle, Handle)> = OnceLock::new();

/// The system thread group, for the VM's own threads.
pub fn system_thread_group() -> Oop {
    GROUPS.get().expect("start-up made the thread groups").0.get()
}

/// The main thread's group, for attached threads.
pub fn main_thread_group() -> Oop {
    GROUPS.get().expect("start-up made the thread groups").1.get()
}

fn heap_config(vm: &Vm) -> heap::HeapConfig {
    let settings = &vm.options.settings;
    let flags = &vm.options.flags;
    heap::HeapConfig {
        max: settings.max_heap,
        initial: settings.initial_heap,
        young: (!flags.is_default("NewSize")).then(|| flags.unsigned("NewSize") as usize),
        plan: match settings.plan {
            Plan::StickyImmix => heap::Plan::StickyImmix,
            Plan::ImmixDefrag => heap::Plan::ImmixDefrag,
            Plan::MarkSweep => heap::Plan::MarkSweep,
            Plan::None => heap::Plan::None,
        },
        gc_threads: (!flags.is_default("ParallelGCThreads")).then(|| flags.unsigned("ParallelGCThreads") as usize),
        stress_bytes: settings.gc_stress_interval,
        class_unloading: flags.bool("ClassUnloading"),
        soft_ref_ms_per_mb: flags.signed("SoftRefLRUPolicyMSPerMB").max(0) as u64,
        metadata: heap::metadata::Limits {
            first: flags.unsigned("MetaspaceSize") as usize,
            max: flags.unsigned("MaxMetaspaceSize") as usize,
            min_free: flags.unsigned("MinMetaspaceFreeRatio") as usize,
            max_free: flags.unsigned("MaxMetaspaceFreeRatio") as usize,
        },
    }
}
