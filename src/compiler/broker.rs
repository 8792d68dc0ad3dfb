//! Asks for compiles, runs the compiler threads, installs what they make.

use super::backend::disassemble::disassemble;
use super::backend::{Arch, Features};
use super::command::{CommandKind, Commands};
use super::inlining::{Limits, Ordered};
use super::log::{self, Line};
use super::pipeline::{self, Artifact, Phases};
use super::queue::{CompileQueue, Request, Task};
use super::refusal::Refusal;
use super::statistics::{Installed, Statistics};
use crate::code::{self, compiled, Compilation, InstallError};
use crate::deopt;
use crate::heap::unloading;
use crate::meta::method::{method_flags, MethodKind, MethodRef};
use crate::options::{ExecutionMode, Flags, Options};
use crate::profile::data::{self, TrapLimits};
use crate::profile::policy;
use crate::profile::thresholds::Thresholds;
use crate::threads::{lifecycle, state, JavaThread};
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
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
    print_assembly: bool,
    huge_methods: bool,
    verify: bool,
    disabled_passes: Vec<String>,
    /// Passes to print the IR after.
    printed_passes: Vec<String>,
    features: Features,
    barrier: bool,
    /// The code cache is full: nothing is compiled until code has been freed.
    disabled: AtomicBool,
    /// How often compiling has stopped for that, and gone on.
    stops: AtomicU32,
    restarts: AtomicU32,
    /// Compiler threads hold back while this is set (`WhiteBox.lockCompilation`).
    locked: Mutex<bool>,
    unlocked: Condvar,
    inlining: [Option<Limits>; 2],
    threads: Mutex<Vec<CompilerThread>>,
    pub statistics: Statistics,
}

/// A compiler thread, as thread dumps show it.
struct CompilerThread {
    name: String,
    /// Address of its `JavaThread`.
    address: usize,
    os_id: i32,
    task: Option<Arc<Task>>,
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
    // They are said, and their errors too, where nothing is compiled as well.
    let commands = read_commands(options);
    if options.settings.mode == ExecutionMode::Interpreted {
        return Ok(());
    }
    let thresholds = Thresholds::new(flags, always, options.settings.processors);
    if thresholds.highest_tier == 0 {
        return Ok(());
    }
    let timeout = Duration::from_millis(flags.signed("TieredCompileTaskTimeout").max(1) as u64);
    super::passes::check_table()?;
    data::set_trap_limits(TrapLimits::new(flags));
    let broker = Broker {
        commands,
        print_inlining: flags.bool("PrintInlining"),
        quick: CompileQueue::new(policy::events, timeout),
        optimized: CompileQueue::new(policy::events, timeout),
        next_id: AtomicU32::new(1),
        next_osr_id: AtomicU32::new(1),
        print_compilation: flags.bool("PrintCompilation"),
        print_assembly: flags.bool("PrintAssembly"),
        verify: flags.bool("VerifyIR"),
        disabled_passes: disabled_passes(|name| flags.bool(name)),
        printed_passes: flags.text("PrintIR").map_or(vec![], |t| t.split(',').map(str::to_string).collect()),
        features: Features::host(),
        barrier: crate::heap::needs_barrier(),
        huge_methods: !flags.bool("DontCompileHugeMethods"),
        disabled: AtomicBool::new(false),
        stops: AtomicU32::new(0),
        restarts: AtomicU32::new(0),
        threads: Mutex::default(),
        locked: Mutex::new(false),
        unlocked: Condvar::new(),
        inlining: [Limits::QUICK, Limits::OPTIMIZED.with_flags(flags)].map(|l| flags.bool("Inline").then_some(l)),
        statistics: Statistics::default(),
        thresholds,
    };
    if options.settings.deopt_stress {
        deopt::stress::start(options.settings.stress_seed);
    }
    let b = BROKER.get_or_init(|| broker);
    let optimized = (0..b.thresholds.optimized_threads).map(|i| (format!("C2 CompilerThread{i}"), &b.optimized));
    let quick = (0..b.thresholds.quick_threads).map(|i| (format!("C1 CompilerThread{i}"), &b.quick));
    for (name, queue) in optimized.chain(quick) {
        std::thread::Builder::new()
            // As much of it as Linux takes.
            .name(name[..15].to_string())
            .stack_size(STACK_BYTES)
            .spawn(move || serve(b, queue, name))
            .map_err(|e| format!("cannot start a compiler thread: {e}"))?;
    }
    Ok(())
}

/// The passes that HotSpot's flags switch off.
fn disabled_passes(is_on: impl Fn(&str) -> bool) -> Vec<String> {
    let mut out = Vec::new();
    if !is_on("EliminateAutoBox") {
        out.push("boxes".to_string());
    }
    // Both rest on the analysis; HotSpot's flags leave either to itself.
    if !is_on("DoEscapeAnalysis") || !is_on("EliminateAllocations") {
        out.push("scalar".to_string());
    }
    if !is_on("DoEscapeAnalysis") || !is_on("EliminateLocks") {
        out.push("locks".to_string());
    }
    out
}

/// The commands of all sources; what there is to say about them is printed, as HotSpot does.
fn read_commands(options: &Options) -> Commands {
    let flags = &options.flags;
    let mut commands = Commands::default();
    let mut say = |r: Result<Option<String>, String>| match r {
        Ok(Some(text)) | Err(text) => log::out(&text),
        Ok(None) => {}
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
fn serve(b: &'static Broker, queue: &'static CompileQueue, name: String) {
    let t = match lifecycle::attach_hidden() {
        Ok(t) => t,
        Err(e) => {
            crate::vm_warning!("compiler thread: {e}");
            return;
        }
    };
    let address = t as *const JavaThread as usize;
    let os_id = t.os_tid.load(Ordering::Relaxed) as i32;
    b.threads.lock().push(CompilerThread { name, address, os_id, task: None });
    let working_on = |task: Option<&Arc<Task>>| {
        if let Some(me) = b.threads.lock().iter_mut().find(|x| x.address == address) {
            me.task = task.cloned();
        }
    };
    while let Some(task) = queue_take(t, queue) {
        working_on(Some(&task));
        unloading::while_compiling(t, || {
            // The class may have been unloaded before we could begin.
            if !task.was_dropped() {
                b.run(t, &task);
            }
        });
        queue.done(&task);
        working_on(None);
    }
    b.threads.lock().retain(|x| x.address != address);
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

    /// Drops the tasks for methods that are `dead`: their classes are being unloaded. In a pause without a compile.
    pub(crate) fn drop_tasks(&self, dead: impl Fn(MethodRef) -> bool) {
        self.quick.drop_all(&dead);
        self.optimized.drop_all(&dead);
        for x in self.threads.lock().iter_mut() {
            x.task.take_if(|task| task.was_dropped());
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
        if self.disabled.load(Ordering::Relaxed) {
            return;
        }
        let Some(tier) = self.possible_tier(m, osr_bci, tier) else { return };
        if is_better(m, osr_bci, tier) {
            let r = Request { method: m, osr_bci, tier, blocking: self.is_blocking(m), forced: false };
            self.add(t, r);
        }
    }

    /// Whoever asks for a compile of `m` waits for it.
    pub fn is_blocking(&self, m: MethodRef) -> bool {
        !self.thresholds.background || self.commands.forbids(CommandKind::BackgroundCompilation, m)
    }

    /// Queues a compile, whatever code there is, and waits for its end if it is `blocking`. False if nothing is
    /// queued any more: the VM is going down.
    pub fn enqueue(&self, t: &JavaThread, m: MethodRef, osr_bci: Option<u16>, tier: u8, blocking: bool) -> bool {
        self.add(t, Request { method: m, osr_bci, tier, blocking, forced: true })
    }

    /// Queues a compile that is `forced` or makes for better code than there is, and waits for its end if it is
    /// `blocking`. False if nothing is queued.
    fn add(&self, t: &JavaThread, r: Request) -> bool {
        let counter = if r.osr_bci.is_some() { &self.next_osr_id } else { &self.next_id };
        let id = || counter.fetch_add(1, Ordering::Relaxed);
        let wanted = || r.forced || is_better(r.method, r.osr_bci, r.tier);
        match self.queue(r.tier).add(r, wanted, id) {
            Some(task) => {
                if r.blocking {
                    state::blocked(t, || task.wait());
                }
                true
            }
            None => false,
        }
    }

    /// The tier that `m` can be compiled for if `tier` is wanted: without tier 4, code that does not count.
    pub fn possible_tier(&self, m: MethodRef, osr_bci: Option<u16>, tier: u8) -> Option<u8> {
        if self.is_compilable(m, osr_bci.is_some(), tier) && !self.is_excluded(m, tier) {
            return Some(tier);
        }
        let simple = tier == 4 && self.thresholds.tiered && self.is_compilable(m, osr_bci.is_some(), 1);
        (simple && !self.is_excluded(m, 1)).then_some(1)
    }

    /// The compiler of `tier` has not given `m` up.
    pub fn is_compilable(&self, m: MethodRef, osr: bool, tier: u8) -> bool {
        let given_up = if tier == 4 { method_flags::NOT_COMPILABLE } else { method_flags::NOT_QUICK_COMPILABLE };
        let osr_given_up =
            if tier == 4 { method_flags::NOT_OSR_COMPILABLE } else { method_flags::NOT_QUICK_OSR_COMPILABLE };
        if m.kind() != MethodKind::Java || m.has_flag(given_up) || osr && m.has_flag(osr_given_up) {
            return false;
        }
        m.class().is_linked() && (m.code.len() <= HUGE_METHOD_LIMIT || self.huge_methods)
    }

    /// A command says that `m` is not to be compiled: gives it up, and says so, once.
    fn is_excluded(&self, m: MethodRef, tier: u8) -> bool {
        if !self.commands.excludes(m) {
            return false;
        }
        if self.print_compilation && !self.commands.quiet {
            let kind = if m.is_static() { "static " } else { "" };
            log::out(&format!("### Excluding compile: {kind}{}::{}", m.class().external_name(), m.name));
        }
        self.give_up(m, Some(tier), false, "excluded by CompileCommand");
        true
    }

    /// `m` is not compiled any more for `tier` (`None`: for any), from its start or, if `osr`, for its loops.
    pub fn give_up(&self, m: MethodRef, tier: Option<u8>, osr: bool, why: &str) {
        let (quick, optimized) = match osr {
            false => (method_flags::NOT_QUICK_COMPILABLE, method_flags::NOT_COMPILABLE),
            true => (method_flags::NOT_QUICK_OSR_COMPILABLE, method_flags::NOT_OSR_COMPILABLE),
        };
        m.set_flag(match tier {
            None => quick | optimized,
            Some(4) => optimized,
            Some(_) => quick,
        });
        if self.print_compilation && !self.commands.quiet {
            log::out(&log::not_compilable(m, tier, osr, why));
        }
        crate::log!(Debug, [jit, compilation], "{}", log::not_compilable(m, tier, osr, why));
    }

    /// Compiles for the processor `target`, and installs nothing.
    ///
    /// # Errors
    /// Why not; a panic is one reason.
    pub fn compile(
        &self,
        t: &JavaThread,
        method: MethodRef,
        osr_bci: Option<u16>,
        tier: u8,
        target: (Arch, Features),
    ) -> Result<Artifact, Refusal> {
        let job = pipeline::Job {
            method,
            osr_bci,
            tier,
            thresholds: &self.thresholds,
            verify: self.verify,
            print_ir: self.commands.asks(CommandKind::PrintIr, method),
            deopt_stress: deopt::stress::cell(),
            arch: target.0,
            features: target.1,
            barrier: self.barrier,
            comments: self.prints_code(method),
            ordered: ordered_inlining,
            inlining: self.inlining[usize::from(tier == 4)],
            disabled: &self.disabled_passes,
            print: &self.printed_passes,
        };
        let made = state::in_native(t, || crate::vm::crash::contain(|| pipeline::compile(&job)));
        made.unwrap_or_else(|panic| Err(Refusal::Panic(panic)))
    }

    /// Compiles and installs; whatever goes wrong, the program goes on.
    fn run(&self, t: &'static JavaThread, task: &Task) {
        self.await_unlocked(t);
        // The other pipeline may have been faster.
        if !task.forced && !is_better(task.method, task.osr_bci, task.tier) {
            return;
        }
        let begin = Instant::now();
        self.report_task(task, None);
        let outcome = self.compile(t, task.method, task.osr_bci, task.tier, (Arch::HOST, self.features));
        let phases = match outcome {
            Ok(artifact) => {
                let phases = artifact.phases;
                self.install(t, task, artifact, begin);
                phases
            }
            Err(refusal) => {
                self.refuse(task, &refusal);
                self.statistics.refused(begin.elapsed());
                Phases::default()
            }
        };
        self.statistics.time(task.tier, begin.elapsed(), &phases);
    }

    fn install(&self, t: &'static JavaThread, task: &Task, artifact: Artifact, begin: Instant) {
        let print = self.print_inlining || self.commands.asks(CommandKind::PrintInlining, task.method);
        log::inlining(&artifact.inlining, print);
        let installed = Installed {
            osr: task.osr_bci.is_some(),
            bytecodes: artifact.bytecodes,
            code_bytes: artifact.assembled.code.len(),
            metadata_bytes: artifact.assembled.metadata_bytes(),
        };
        let listing = self.prints_code(task.method).then(|| disassemble(Arch::HOST, &artifact.assembled));
        let c = Compilation {
            id: task.id,
            method: task.method,
            tier: task.tier,
            osr_bci: task.osr_bci,
            assembled: artifact.assembled,
            dependencies: artifact.dependencies,
            names: artifact.names,
        };
        code::sweep::make_room(t);
        match code::install(c) {
            Ok(code) => {
                if let Some(text) = listing {
                    log::print_assembly(code, &text);
                }
                return self.statistics.installed(task.tier, begin.elapsed(), &installed);
            }
            // It may be asked for again.
            Err(e @ InstallError::BrokenDependency) => {
                self.report_task(task, Some(&format!("COMPILE SKIPPED: {e} (retry at different tier)")));
            }
            Err(InstallError::CacheFull) => self.cache_full(t),
            Err(InstallError::Unpreparable) => self.refuse(task, &Refusal::NoCode),
        }
        self.statistics.invalidated(begin.elapsed());
    }

    /// Whether the method's machine code is to be printed.
    fn prints_code(&self, m: MethodRef) -> bool {
        self.print_assembly || self.commands.asks(CommandKind::Print, m)
    }

    fn refuse(&self, task: &Task, refusal: &Refusal) {
        let osr = task.osr_bci.is_some();
        task.method.set_flag(match (task.tier == 4, osr) {
            (true, false) => method_flags::NOT_COMPILABLE,
            (true, true) => method_flags::NOT_OSR_COMPILABLE,
            (false, false) => method_flags::NOT_QUICK_COMPILABLE,
            (false, true) => method_flags::NOT_QUICK_OSR_COMPILABLE,
        });
        let retry = if task.tier == 4 { "retry at different tier" } else { "not retryable" };
        self.report_task(task, Some(&format!("COMPILE SKIPPED: {refusal} ({retry})")));
    }

    /// There is no room: what is dead is freed; if that is little, compiling stops.
    fn cache_full(&self, t: &JavaThread) {
        if code::sweep::sweep(t) > 0 && code::sweep::has_room() {
            return;
        }
        if !self.disabled.swap(true, Ordering::Relaxed) {
            // As on HotSpot, who has been told once knows; a log tells every time.
            let first = self.stops.fetch_add(1, Ordering::Relaxed) == 0;
            code::sweep::report_full(first);
        }
    }

    /// Code has been freed: compiling goes on if it had stopped and there is room again.
    pub fn code_freed(&self) {
        if self.disabled.load(Ordering::Relaxed) && code::sweep::has_room() {
            self.disabled.store(false, Ordering::Relaxed);
            self.restarts.fetch_add(1, Ordering::Relaxed);
            crate::log!(Info, [codecache], "Restarting compiler");
        }
    }

    /// How often compiling has stopped because the code cache was full, and gone on.
    pub fn stops_and_restarts(&self) -> (u32, u32) {
        (self.stops.load(Ordering::Relaxed), self.restarts.load(Ordering::Relaxed))
    }

    /// Compiles are made, if asked for.
    pub fn is_enabled(&self) -> bool {
        !self.disabled.load(Ordering::Relaxed)
    }

    /// The compiler threads' part of a thread dump.
    pub fn dump_threads(&self) -> String {
        let mut threads: Vec<String> = Vec::new();
        for x in self.threads.lock().iter() {
            let doing = match &x.task {
                Some(task) => format!("Compiling: {}", self.line_of(task, None).short()),
                None => "No compile task".to_string(),
            };
            threads.push(format!(
                "\"{}\" daemon prio=9 tid={:#018x} nid={:#x}\n   java.lang.Thread.State: RUNNABLE\n   {doing}\n\n",
                x.name, x.address, x.os_id
            ));
        }
        // HotSpot shows C2's first.
        threads.sort_by(|a, b| b[..3].cmp(&a[..3]).then(a.cmp(b)));
        threads.concat()
    }

    /// What is being compiled and what waits for it, as `Compiler.queue` shows it.
    pub fn dump_queues(&self) -> String {
        let mut out = String::from("Current compiles: \n");
        for x in self.threads.lock().iter() {
            if let Some(task) = &x.task {
                out += &format!("{}  {}\n", x.name, self.line_of(task, None).short());
            }
        }
        for (name, queue) in [("C1", &self.quick), ("C2", &self.optimized)] {
            out += &format!("\n{name} compile queue:\n");
            let mut waiting = String::new();
            queue.for_each_waiting(|task| waiting += &format!("{}\n", self.line_of(task, None).short()));
            out += if waiting.is_empty() { "Empty\n" } else { &waiting };
        }
        out.push('\n');
        out
    }

    fn line_of<'a>(&self, task: &Task, message: Option<&'a str>) -> Line<'a> {
        Line {
            id: task.id,
            method: task.method,
            osr_bci: task.osr_bci,
            tier: task.tier,
            tiered: self.thresholds.tiered,
            blocking: task.blocking,
            message,
        }
    }

    fn report_task(&self, task: &Task, message: Option<&str>) {
        self.report(&self.line_of(task, message));
    }

    /// A `made not entrant` line.
    pub fn report_not_entrant(&self, c: &compiled::CompiledMethod) {
        self.report(&Line {
            id: c.id,
            method: c.method,
            osr_bci: c.osr_bci,
            tier: c.tier,
            tiered: self.thresholds.tiered,
            blocking: false,
            message: Some("made not entrant"),
        });
    }

    fn report(&self, l: &Line<'_>) {
        let asked = l.message.is_none() && self.commands.asks(CommandKind::Print, l.method);
        if self.print_compilation || asked {
            l.print();
        }
        crate::log!(Debug, [jit, compilation], "{}", l.short());
    }

    /// Compiler threads hold back from now on, or go on.
    pub fn set_locked(&self, locked: bool) {
        *self.locked.lock() = locked;
        self.unlocked.notify_all();
    }

    fn await_unlocked(&self, t: &JavaThread) {
        if !*self.locked.lock() {
            return;
        }
        state::blocked(t, || {
            let mut locked = self.locked.lock();
            while *locked {
                self.unlocked.wait(&mut locked);
            }
        });
    }

    /// A compile of `m` waits or is being made.
    pub fn is_queued(&self, m: MethodRef) -> bool {
        self.quick.has(m) || self.optimized.has(m)
    }

    /// What the options want to know when the VM ends.
    pub fn print_statistics(&self, flags: &Flags) {
        if flags.bool("CITime") {
            log::out(self.statistics.report().trim_end_matches('\n'));
        }
        if flags.bool("PrintCodeCache") {
            log::out(&code::sweep::summary());
        }
    }

    /// Sends the compiler threads home: the VM is going down.
    pub fn close(&self) {
        self.quick.close();
        self.optimized.close();
    }
}

/// What `-XX:CompileCommand` says about inlining `m`.
fn ordered_inlining(m: MethodRef) -> Option<Ordered> {
    let commands = &get()?.commands;
    if commands.asks(CommandKind::DontInline, m) {
        return Some(Ordered::DontInline);
    }
    commands.asks(CommandKind::Inline, m).then_some(Ordered::Inline)
}

/// How good code of a tier is: code of tier 1 is final, as is tier 4's, and does not count.
fn rank(tier: u8) -> u8 {
    match tier {
        0 => 0,
        2 => 1,
        3 => 2,
        1 => 3,
        _ => 4,
    }
}

/// Code of `tier` would be better than what calls, or the loop at `osr_bci`, enter now.
fn is_better(m: MethodRef, osr_bci: Option<u16>, tier: u8) -> bool {
    rank(current_tier(m, osr_bci)) < rank(tier)
}

/// The tier of the code that calls, or the loop at `osr_bci`, enter.
fn current_tier(m: MethodRef, osr_bci: Option<u16>) -> u8 {
    match osr_bci {
        None => m.tier.load(Ordering::Relaxed),
        Some(bci) => compiled::osr_of_method(m, bci).map_or(0, |c| c.tier),
    }
}
