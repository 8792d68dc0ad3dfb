//! Asks for compiles, runs the compiler threads, installs what they make.

use super::backend::{Arch, Features};
use super::command::{CommandKind, Commands};
use super::log::{self, Line};
use super::pipeline;
use super::queue::{CompileQueue, Task};
use super::refusal::Refusal;
use crate::code::{self, compiled, Compilation, InstallError};
use crate::meta::method::{method_flags, MethodKind, MethodRef};
use crate::observe::log::uptime;
use crate::options::{ExecutionMode, Options};
use crate::profile::policy;
use crate::profile::thresholds::Thresholds;
use crate::threads::{lifecycle, state, JavaThread};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Methods with more bytecodes than this are not compiled (`-XX:-DontCompileHugeMethods` lifts it).
const HUGE_METHOD_LIMIT: usize = 8000;
/// Native stack of a compiler thread: inlining and graph walks recurse.
const STACK_BYTES: usize = 8 << 20;

/// See the module comment.
pub struct Broker {
    pub thresholds: Thresholds,
    pub commands: Commands,
    pub print_inlining: bool,
    quick: CompileQueue,
    optimized: CompileQueue,
    next_id: AtomicU32,
    next_osr_id: AtomicU32,
    print_compilation: bool,
    huge_methods: bool,
    verify: bool,
    features: Features,
    barrier: bool,
    /// The code cache is full.
    disabled: AtomicBool,
    pub totals: [Totals; 2],
}

/// What one pipeline has done, for `-XX:+CITime`.
#[derive(Default)]
pub struct Totals {
    pub methods: AtomicU64,
    pub osr_methods: AtomicU64,
    pub bytes: AtomicU64,
    pub nanos: AtomicU64,
    pub code_bytes: AtomicU64,
    pub refused: AtomicU64,
}

static BROKER: OnceLock<Broker> = OnceLock::new();

/// The broker; `None` under `-Xint`, and before start-up has come to the compilers.
#[inline]
pub fn get() -> Option<&'static Broker> {
    BROKER.get()
}

/// Sets the compilers up, unless the options say there are none, and starts their threads.
///
/// # Errors
/// A text: no memory for the code cache or a thread.
pub fn start(options: &Options) -> Result<(), String> {
    let flags = &options.flags;
    let always = options.settings.mode == ExecutionMode::Compiled;
    if options.settings.mode == ExecutionMode::Interpreted {
        return Ok(());
    }
    let thresholds = Thresholds::new(flags, always, options.settings.processors);
    if thresholds.highest_tier == 0 {
        return Ok(());
    }
    let timeout = Duration::from_millis(flags.signed("TieredCompileTaskTimeout").max(1) as u64);
    super::passes::check_table()?;
    let broker = Broker {
        commands: read_commands(options),
        print_inlining: flags.bool("PrintInlining"),
        quick: CompileQueue::new(policy::events, timeout),
        optimized: CompileQueue::new(policy::events, timeout),
        next_id: AtomicU32::new(1),
        next_osr_id: AtomicU32::new(1),
        print_compilation: flags.bool("PrintCompilation"),
        verify: flags.bool("VerifyIR"),
        features: Features::host(),
        barrier: crate::heap::needs_barrier(),
        huge_methods: !flags.bool("DontCompileHugeMethods"),
        disabled: AtomicBool::new(false),
        totals: Default::default(),
        thresholds,
    };
    let b = BROKER.get_or_init(|| broker);
    let quick = (0..b.thresholds.quick_threads).map(|i| ("C1 CompilerThre", i, &b.quick));
    let optimized = (0..b.thresholds.optimized_threads).map(|i| ("C2 CompilerThre", i, &b.optimized));
    for (name, _, queue) in quick.chain(optimized) {
        std::thread::Builder::new()
            .name(name.to_string())
            .stack_size(STACK_BYTES)
            .spawn(move || serve(b, queue))
            .map_err(|e| format!("cannot start a compiler thread: {e}"))?;
    }
    Ok(())
}

/// The commands of all sources; what there is to say about them is printed, as HotSpot does.
fn read_commands(options: &Options) -> Commands {
    let flags = &options.flags;
    let mut commands = Commands::default();
    let mut say = |r: Result<Option<String>, String>| match r {
        Ok(Some(text)) => println!("{text}"),
        Ok(None) => {}
        Err(text) => println!("{text}"),
    };
    for line in flags.text("CompileCommand").unwrap_or("").lines() {
        say(commands.add(line));
    }
    if let Some(file) = flags.text("CompileCommandFile") {
        match std::fs::read_to_string(file) {
            Ok(text) => commands.add_file(&text).into_iter().for_each(&mut say),
            Err(e) => crate::vm_warning!("CompileCommandFile {file}: {e}"),
        }
    }
    for pattern in flags.text("CompileOnly").unwrap_or("").split([',', '\n']).filter(|p| !p.is_empty()) {
        let whole = if pattern.contains("::") || pattern.rsplit('.').next().is_some_and(|m| m.starts_with(char::is_lowercase)) {
            pattern.to_string()
        } else {
            format!("{pattern}::*")
        };
        say(commands.add(&format!("compileonly,{whole}")));
    }
    commands
}

/// A compiler thread.
fn serve(b: &'static Broker, queue: &'static CompileQueue) {
    let t = match lifecycle::attach_hidden() {
        Ok(t) => t,
        Err(e) => {
            crate::vm_warning!("compiler thread: {e}");
            return;
        }
    };
    while let Some(task) = queue_take(t, queue) {
        b.run(t, &task);
        queue.done(&task);
    }
    lifecycle::detach(t);
}

/// Waits for a task; pauses do not wait for this thread meanwhile.
fn queue_take(t: &JavaThread, queue: &CompileQueue) -> Option<Arc<Task>> {
    state::blocked(t, || queue.take())
}

impl Broker {
    fn queue(&self, tier: u8) -> &CompileQueue {
        if tier == 4 {
            &self.optimized
        } else {
            &self.quick
        }
    }

    /// Tasks waiting for the pipeline of `tier`.
    pub fn waiting(&self, tier: u8) -> usize {
        self.queue(tier).len()
    }

    /// Factor by which the thresholds for `tier` rise with its queue's length.
    pub fn load(&self, tier: u8) -> f64 {
        let th = &self.thresholds;
        let (limits, threads) =
            if tier == 4 { (&th.optimized, th.optimized_threads) } else { (&th.quick, th.quick_threads) };
        self.waiting(tier) as f64 / (limits.load_feedback * threads as f64) + 1.0
    }

    /// Asks for `m` to be compiled for `tier`, from its start or from the loop header at `osr_bci`. Returns at
    /// once, or under `-XX:-BackgroundCompilation` when that is done.
    pub fn request(&self, t: &JavaThread, m: MethodRef, osr_bci: Option<u16>, tier: u8) {
        if self.disabled.load(Ordering::Relaxed) || !self.is_compilable(m, osr_bci, tier) {
            return;
        }
        let already = match osr_bci {
            None => m.tier.load(Ordering::Relaxed) >= tier,
            Some(bci) => compiled::osr_of_method(m, bci).is_some_and(|c| c.tier >= tier),
        };
        if already && m.tier.load(Ordering::Relaxed) != 2 {
            return;
        }
        let counter = if osr_bci.is_some() { &self.next_osr_id } else { &self.next_id };
        let blocking = !self.thresholds.background;
        let id = || counter.fetch_add(1, Ordering::Relaxed);
        if let Some(task) = self.queue(tier).add(m, osr_bci, tier, blocking, id) {
            if blocking {
                state::blocked(t, || task.wait());
            }
        }
    }

    fn is_compilable(&self, m: MethodRef, osr_bci: Option<u16>, tier: u8) -> bool {
        let given_up = if tier == 4 { method_flags::NOT_COMPILABLE } else { method_flags::NOT_QUICK_COMPILABLE };
        if m.kind() != MethodKind::Java || m.has_flag(given_up) || !m.class().is_linked() {
            return false;
        }
        if m.code.len() > HUGE_METHOD_LIMIT && !self.huge_methods {
            return false;
        }
        if self.commands.excludes(m) {
            m.set_flag(given_up);
            if self.print_compilation && !self.commands.quiet {
                let kind = if m.is_static() { "static " } else { "" };
                let name = format!("{}::{}", m.class().external_name(), m.name);
                println!("### Excluding compile: {kind}{name}");
                println!(
                    "made not compilable on level {tier}  {name} ({} bytes)   excluded by CompileCommand",
                    m.code.len()
                );
            }
            return false;
        }
        let _ = osr_bci;
        true
    }

    /// Compiles and installs; whatever goes wrong, the program goes on.
    fn run(&self, t: &'static JavaThread, task: &Task) {
        let begin = Instant::now();
        let totals = &self.totals[usize::from(task.tier == 4)];
        self.print(task, None);
        let made = state::in_native(t, || {
            crate::vm::crash::contain(|| pipeline::compile(&pipeline::Job {
                method: task.method,
                osr_bci: task.osr_bci,
                tier: task.tier,
                thresholds: &self.thresholds,
                verify: self.verify,
                arch: Arch::HOST,
                features: self.features,
                barrier: self.barrier,
            }))
        });
        let outcome = match made {
            Ok(r) => r,
            Err(panic) => Err(Refusal::Panic(panic)),
        };
        match outcome {
            Ok(artifact) => {
                let (bytes, bytecodes) = (artifact.assembled.code.len() as u64, artifact.bytecodes);
                if self.print_inlining {
                    artifact.inlining.iter().for_each(log::print_inlining);
                }
                let c = Compilation {
                    id: task.id,
                    method: task.method,
                    tier: task.tier,
                    osr_bci: task.osr_bci,
                    assembled: artifact.assembled,
                    dependencies: artifact.dependencies,
                };
                code::sweep::make_room(t);
                match code::install(c) {
                    Ok(_) => {
                        let methods = if task.osr_bci.is_some() { &totals.osr_methods } else { &totals.methods };
                        methods.fetch_add(1, Ordering::Relaxed);
                        totals.bytes.fetch_add(bytecodes as u64, Ordering::Relaxed);
                        totals.code_bytes.fetch_add(bytes, Ordering::Relaxed);
                    }
                    // It may be asked for again.
                    Err(e @ InstallError::BrokenDependency) => {
                        self.print(task, Some(&format!("COMPILE SKIPPED: {e} (retry)")));
                    }
                    Err(InstallError::CacheFull) => self.cache_full(),
                    Err(InstallError::Unpreparable) => self.refuse(task, &Refusal::NoCode),
                }
            }
            Err(refusal) => self.refuse(task, &refusal),
        }
        totals.nanos.fetch_add(begin.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }

    fn refuse(&self, task: &Task, refusal: &Refusal) {
        self.totals[usize::from(task.tier == 4)].refused.fetch_add(1, Ordering::Relaxed);
        let flag = if task.tier == 4 { method_flags::NOT_COMPILABLE } else { method_flags::NOT_QUICK_COMPILABLE };
        task.method.set_flag(flag);
        self.print(task, Some(&format!("COMPILE SKIPPED: {refusal} (not retryable)")));
        crate::log!(Debug, [jit, compilation], "{:?} tier {}: {refusal}", task.method, task.tier);
    }

    fn cache_full(&self) {
        if !self.disabled.swap(true, Ordering::Relaxed) {
            code::sweep::report_full();
        }
    }

    fn print(&self, task: &Task, message: Option<&str>) {
        if self.print_compilation || self.commands.asks(CommandKind::Print, task.method) && message.is_none() {
            log::print(&Line {
                milliseconds: uptime().as_millis() as u64,
                id: task.id,
                method: task.method,
                osr_bci: task.osr_bci,
                tier: task.tier,
                blocking: task.blocking,
                message,
            });
        }
    }

    /// A `made not entrant` line.
    pub fn print_not_entrant(&self, c: &compiled::CompiledMethod) {
        if self.print_compilation {
            log::print(&Line {
                milliseconds: uptime().as_millis() as u64,
                id: c.id,
                method: c.method,
                osr_bci: c.osr_bci,
                tier: c.tier,
                blocking: false,
                message: Some("made not entrant"),
            });
        }
    }

    /// Sends the compiler threads home: the VM is going down.
    pub fn close(&self) {
        self.quick.close();
        self.optimized.close();
    }
}
