//! One compile, from bytecode to machine code not yet placed.

use super::backend::{self, Arch, Features, Options};
use super::build::{self, Built, Counting, Request, Tier};
use super::dependencies::Dependencies;
use super::inlining::{Decision, Limits, Ordered};
use super::ir::{Function, Op, Runtime};
use super::passes;
use super::refusal::Refusal;
use crate::code::assembled::Assembled;
use crate::code::compiled;
use crate::meta::loader::Loader;
use crate::meta::method::MethodRef;
use crate::profile::data;
use crate::profile::thresholds::Thresholds;
use crate::{log, log_enabled};
use std::time::{Duration, Instant};

/// What to compile, and how.
pub struct Job<'a> {
    pub method: MethodRef,
    /// Loop header to enter at.
    pub osr_bci: Option<u16>,
    /// 1 to 4.
    pub tier: u8,
    pub thresholds: &'a Thresholds,
    /// Verify the IR after every pass.
    pub verify: bool,
    /// `-XX:+DeoptStress`: the address of the cell that counts down to the next deoptimization.
    pub deopt_stress: Option<usize>,
    /// Print the IR as built and as optimized, and the machine code.
    pub print_ir: bool,
    pub arch: Arch,
    pub features: Features,
    /// The collector wants write barriers.
    pub barrier: bool,
    /// What `-XX:CompileCommand` says about inlining a method.
    pub ordered: fn(MethodRef) -> Option<Ordered>,
    /// The code is to be printed: it gets comments.
    pub comments: bool,
    /// The limits on inlining; `None` for none at all.
    pub inlining: Option<Limits>,
    /// Names of passes to leave out.
    pub disabled: &'a [String],
    /// Names of passes after which to print the function if they have changed it; `built` for before them,
    /// `all` for all.
    pub print: &'a [String],
}

/// Where the time of a compile went.
#[derive(Clone, Copy, Default, Debug)]
pub struct Phases {
    pub build: Duration,
    pub passes: Duration,
    /// Lowering, register allocation, emission.
    pub code: Duration,
}

/// What came of it.
pub struct Artifact {
    pub assembled: Assembled,
    pub dependencies: Dependencies,
    /// Addresses in memory of classes that may be unloaded which the code has been made with.
    pub names: Vec<u32>,
    /// What became of each call.
    pub inlining: Vec<Decision>,
    /// Bytecodes compiled, those of inlined methods included.
    pub bytecodes: usize,
    pub phases: Phases,
}

/// Compiles.
///
/// # Errors
/// Why not.
pub fn compile(job: &Job<'_>) -> Result<Artifact, Refusal> {
    let begin = Instant::now();
    let quick = job.tier < 4;
    let mut request = Request::new(if quick { Tier::Quick } else { Tier::Optimized });
    request.osr_bci = job.osr_bci;
    request.profile = data::if_attached;
    request.ordered = job.ordered;
    request.inlining = job.inlining;
    request.code_size = optimized_size;
    if matches!(job.tier, 2 | 3) {
        request.profile = data::of_method;
        request.counting = Some(Counting {
            sites: job.tier == 3,
            invoke_mask: mask(job.thresholds.tier3_invoke_notify),
            backedge_mask: mask(job.thresholds.tier3_backedge_notify),
        });
    }
    let Built { mut function, dependencies, inlining, bytecodes } = build::build(job.method, &request)?;
    let built = Instant::now();
    let before = Work::of(&function);
    if job.print_ir {
        show(&format!("{} tier {}, as built:
{function}", function.name, job.tier));
    }
    let mut print = |after: &str, f: &Function| {
        if job.print.iter().any(|p| p == after || p == "all") {
            show(&format!("IR at tier {} after {after}:
{f}", job.tier));
        }
    };
    print("built", &function);
    let dump: Option<&mut dyn FnMut(&str, &Function)> = if job.print.is_empty() { None } else { Some(&mut print) };
    let mut settings = passes::Settings {
        quick,
        verify: job.verify,
        deopt_stress: job.deopt_stress,
        disabled: job.disabled,
        dump,
    };
    passes::run(&mut function, &mut settings);
    if job.print_ir {
        show(&format!("{} tier {}, optimized:\n{function}", function.name, job.tier));
    }
    let improved = Instant::now();
    if log_enabled!(Trace, [jit, compilation]) && before.allocations + before.locks > 0 {
        let after = Work::of(&function);
        log!(
            Trace,
            [jit, compilation],
            "{} tier {}: {} of {} allocations and {} of {} locks are left",
            function.name,
            job.tier,
            after.allocations,
            before.allocations,
            after.locks,
            before.locks,
        );
    }
    let options = Options {
        arch: job.arch,
        features: job.features,
        quick,
        comments: job.comments || job.print_ir,
        barrier: job.barrier,
        implicit_nulls: true,
        check: job.verify,
    };
    let assembled = backend::compile(&function, &options)?;
    let names = names(&function);
    let phases = Phases { build: built - begin, passes: improved - built, code: improved.elapsed() };
    if job.print_ir {
        let code = backend::disassemble::disassemble(job.arch, &assembled);
        show(&format!("{} tier {}, machine code:\n{code}", function.name, job.tier));
    }
    Ok(Artifact { assembled, dependencies, names, inlining, bytecodes, phases })
}

/// See [`Artifact::names`].
fn names(f: &Function) -> Vec<u32> {
    let blocks = f.reverse_postorder();
    let all = blocks.iter().flat_map(|&b| &f.blocks[b].insts).filter_map(|&i| f.insts[i].op.metadata());
    all.filter(|&a| Loader::owning(a).is_some()).map(|a| a as u32).collect()
}

/// What a function does that escape analysis is to spare it.
struct Work {
    allocations: usize,
    /// `monitorenter`s.
    locks: usize,
}

impl Work {
    fn of(f: &Function) -> Work {
        let mut w = Work { allocations: 0, locks: 0 };
        for &i in f.reverse_postorder().iter().flat_map(|&b| &f.blocks[b].insts) {
            match f.insts[i].op {
                Op::NewInstance(_) | Op::NewArray(_) => w.allocations += 1,
                Op::CallRuntime(Runtime::MonitorEnter) => w.locks += 1,
                _ => {}
            }
        }
        w
    }
}

/// Prints a listing as one piece.
fn show(text: &str) {
    super::log::out(text);
}

/// Bytes of the code that tier 4 has made of `m`.
fn optimized_size(m: MethodRef) -> Option<usize> {
    compiled::of_method(m).filter(|c| c.tier == 4).map(|c| c.bytes)
}

/// One less than a power of two.
fn mask(log2: u32) -> u32 {
    ((1u64 << log2.min(31)) - 1) as u32
}
