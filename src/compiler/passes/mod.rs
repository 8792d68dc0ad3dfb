//! The optimizer: one table of passes, one file a pass.
//!
//! A pass takes a well-formed function and leaves one. It is a function of the IR and the settings alone.

mod boxes;
mod cfg;
mod conditions;
mod dce;
mod escape;
pub mod fold;
mod frequency;
mod gvn;
mod licm;
mod locks;
mod loops;
mod memory;
mod ranges;
pub mod rewrite;
mod scalar;
mod sink;
mod stress;

use super::ir::parse::assert_round_trip;
use super::ir::verify::assert_valid;
use super::ir::Function;
use std::time::{Duration, Instant};

/// One pass.
pub struct Pass {
    pub name: &'static str,
    /// Changes the function; whether it did.
    pub run: fn(&mut Function) -> bool,
    /// Passes that must have run before, at least once.
    after: &'static [&'static str],
    /// Part of the quick pipeline too.
    quick: bool,
}

/// All passes, in the order in which they run. A name may appear more than once.
pub static PASSES: &[Pass] = &[
    Pass { name: "fold", run: fold::run, after: &[], quick: true },
    Pass { name: "cfg", run: cfg::run, after: &[], quick: true },
    Pass { name: "gvn", run: gvn::run, after: &["fold"], quick: true },
    Pass { name: "memory", run: memory::run, after: &["gvn"], quick: false },
    Pass { name: "conditions", run: conditions::run, after: &["gvn"], quick: false },
    Pass { name: "fold", run: fold::run, after: &[], quick: false },
    Pass { name: "cfg", run: cfg::run, after: &[], quick: false },
    Pass { name: "boxes", run: boxes::run, after: &["fold"], quick: false },
    Pass { name: "dce", run: dce::run, after: &[], quick: false },
    Pass { name: "locks", run: locks::run, after: &[], quick: false },
    Pass { name: "scalar", run: scalar::run, after: &["fold"], quick: false },
    Pass { name: "fold", run: fold::run, after: &[], quick: false },
    Pass { name: "cfg", run: cfg::run, after: &[], quick: false },
    // Boxes that were in fields of such objects, and what was in turn only theirs.
    Pass { name: "boxes", run: boxes::run, after: &["fold"], quick: false },
    Pass { name: "dce", run: dce::run, after: &[], quick: false },
    Pass { name: "scalar", run: scalar::run, after: &["fold"], quick: false },
    Pass { name: "fold", run: fold::run, after: &[], quick: false },
    Pass { name: "cfg", run: cfg::run, after: &[], quick: false },
    Pass { name: "licm", run: licm::run, after: &["gvn"], quick: false },
    Pass { name: "gvn", run: gvn::run, after: &["fold"], quick: false },
    Pass { name: "memory", run: memory::run, after: &["gvn"], quick: false },
    Pass { name: "licm", run: licm::run, after: &["gvn"], quick: false },
    Pass { name: "frequency", run: frequency::run, after: &[], quick: false },
    // After licm, as what limits a loop must be known before it.
    Pass { name: "ranges", run: ranges::run, after: &["licm", "frequency"], quick: false },
    Pass { name: "licm", run: licm::run, after: &["gvn"], quick: false },
    Pass { name: "gvn", run: gvn::run, after: &["fold"], quick: false },
    Pass { name: "memory", run: memory::run, after: &["gvn"], quick: false },
    Pass { name: "fold", run: fold::run, after: &[], quick: false },
    Pass { name: "cfg", run: cfg::run, after: &[], quick: false },
    Pass { name: "dce", run: dce::run, after: &[], quick: true },
    // Last: what is dead would be read in places that are gone.
    Pass { name: "sink", run: sink::run, after: &["dce"], quick: false },
    Pass { name: "frequency", run: frequency::run, after: &[], quick: true },
];

/// What to do beside optimizing.
#[derive(Default)]
pub struct Settings<'a> {
    pub quick: bool,
    /// Check the function after every pass (`-XX:+VerifyIR`; always in debug builds).
    pub verify: bool,
    /// `-XX:+DeoptStress`: the address of the cell that counts down to the next deoptimization.
    pub deopt_stress: Option<usize>,
    /// Names of passes to leave out.
    pub disabled: &'a [String],
    /// Is handed the function after each pass that changed it.
    pub dump: Option<&'a mut dyn FnMut(&str, &Function)>,
}

/// Runs the pipeline; the time each pass took, in the table's order.
///
/// # Panics
/// When verifying, if a pass breaks the function.
pub fn run(f: &mut Function, settings: &mut Settings<'_>) -> Vec<(&'static str, Duration)> {
    let verify = settings.verify || cfg!(debug_assertions);
    if verify {
        assert_valid(f, "as built");
    }
    if settings.verify {
        assert_round_trip(f, "as built");
    }
    let mut times = Vec::new();
    for p in PASSES {
        if settings.quick && !p.quick || settings.disabled.iter().any(|d| d == p.name) {
            continue;
        }
        let begin = Instant::now();
        let changed = (p.run)(f);
        times.push((p.name, begin.elapsed()));
        if changed {
            if verify {
                assert_valid(f, p.name);
            }
            if let Some(dump) = &mut settings.dump {
                dump(p.name, f);
            }
        }
    }
    if let Some(cell) = settings.deopt_stress {
        stress::run(f, cell);
        if verify {
            assert_valid(f, "stress");
        }
    }
    if settings.verify {
        assert_round_trip(f, "after the passes");
    }
    times
}

/// Checks the order of the table, at start-up.
///
/// # Errors
/// Which pass would run too early.
pub fn check_table() -> Result<(), String> {
    for quick in [false, true] {
        let mut ran: Vec<&str> = Vec::new();
        for p in PASSES.iter().filter(|p| p.quick || !quick) {
            if let Some(needed) = p.after.iter().find(|n| !ran.contains(n)) {
                return Err(format!("pass {} runs before {needed}", p.name));
            }
            ran.push(p.name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tables_order_keeps_its_constraints() {
        assert_eq!(super::check_table(), Ok(()));
    }
}
