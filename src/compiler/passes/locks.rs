//! Lock elision: an object that nobody else sees need not be locked (HotSpot's EliminateLocks).
//!
//! The frame states go on naming it among their monitors, as elided: the interpreter takes the lock when it takes
//! over.

use super::escape::Escape;
use crate::compiler::ir::{Function, Inst, Op, Runtime, Slot, Terminator};
use std::collections::BTreeSet;

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    let is_lock =
        |f: &Function, i: Inst| matches!(f.insts[i].op, Op::CallRuntime(Runtime::MonitorEnter | Runtime::MonitorExit));
    let order = f.reverse_postorder();
    let locks: Vec<Inst> =
        order.iter().flat_map(|&b| &f.blocks[b].insts).copied().filter(|&i| is_lock(f, i)).collect();
    if locks.is_empty() {
        return false;
    }
    let e = Escape::new(f);
    let mut elided: BTreeSet<Inst> = e.sites.iter().copied().filter(|&s| !e.escapes(s)).collect();
    let elides = |elided: &BTreeSet<Inst>, f: &Function, v| {
        let p = e.points(f, v);
        !p.unknown && !p.sites.is_empty() && p.sites.is_subset(elided)
    };
    // An object is locked always or never: one that may be locked where another may that must be, is too. The same
    // goes for the frame states.
    let state_monitors: Vec<_> =
        f.states.values().flat_map(|s| &s.monitors).filter(|m| !m.elided).map(|m| m.object).collect();
    loop {
        let before = elided.len();
        let values = locks.iter().map(|&i| f.insts[i].args[0]);
        let named = state_monitors.iter().filter_map(|&m| if let Slot::Value(v) = m { Some(v) } else { None });
        for v in values.chain(named) {
            if !elides(&elided, f, v) {
                let p = &e.points(f, v).sites;
                elided.retain(|s| !p.contains(s));
            }
        }
        if elided.len() == before {
            break;
        }
    }
    if elided.is_empty() {
        return false;
    }
    let mut changed = false;
    for &b in &order {
        let insts = std::mem::take(&mut f.blocks[b].insts);
        let count = insts.len();
        let gone = |&i: &Inst| is_lock(f, i) && elides(&elided, f, f.insts[i].args[0]);
        let last_gone = insts.last().is_some_and(gone);
        let kept: Vec<Inst> = insts.into_iter().filter(|i| !gone(i)).collect();
        changed |= kept.len() != count;
        f.blocks[b].insts = kept;
        // What would have thrown does not.
        if let (true, Terminator::Try(normal, _)) = (last_gone, &f.blocks[b].term) {
            f.blocks[b].term = Terminator::Jump(normal.clone());
        }
    }
    for s in f.states.keys() {
        for m in 0..f.states[s].monitors.len() {
            let monitor = f.states[s].monitors[m];
            if let (Slot::Value(v), false) = (monitor.object, monitor.elided) {
                if elides(&elided, f, v) {
                    f.states[s].monitors[m].elided = true;
                    changed = true;
                }
            }
        }
    }
    changed
}
