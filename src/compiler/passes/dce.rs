//! Dead code: instructions without effect whose results nothing needs, and block parameters alike. (A frame
//! state needs its values; unreachable blocks are left empty.)

use crate::compiler::ir::{Function, State, Terminator, Value, ValueDef};
use cranelift_entity::EntitySet;

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    let order = f.reverse_postorder();
    let mut live = Live { f, values: EntitySet::new(), states: EntitySet::new(), work: Vec::new() };
    for &b in &order {
        let block = &live.f.blocks[b];
        for &i in &block.insts {
            let data = &live.f.insts[i];
            if data.op.has_effect() || data.op.is_check() {
                data.args.iter().for_each(|&a| live.value(a));
                if let Some(s) = data.state {
                    live.state(s);
                }
            }
        }
        match &block.term {
            Terminator::Branch { cond: v, .. }
            | Terminator::Switch { key: v, .. }
            | Terminator::Return(Some(v))
            | Terminator::Throw(v) => live.value(*v),
            Terminator::Deopt { state, .. } => live.state(*state),
            _ => {}
        }
    }
    // What a live parameter gets from its predecessors lives too.
    let preds = live.f.predecessors();
    while let Some(v) = live.work.pop() {
        live.f.values[v].boxed.into_iter().for_each(|b| live.value(b));
        match live.f.values[v].def {
            ValueDef::Result(i) => {
                live.f.insts[i].args.iter().for_each(|&a| live.value(a));
                if let Some(s) = live.f.insts[i].state {
                    live.state(s);
                }
            }
            ValueDef::Param(b, n) => {
                for &p in &preds[b] {
                    for e in live.f.blocks[p].term.edges() {
                        if e.block == b {
                            live.value(e.args[n as usize]);
                        }
                    }
                }
            }
            ValueDef::Alias(_) => unreachable!("aliases have been resolved"),
        }
    }
    let values = live.values;
    let mut changed = false;
    for b in f.blocks.keys() {
        let insts = std::mem::take(&mut f.blocks[b].insts);
        let before = insts.len();
        let kept: Vec<_> = insts
            .into_iter()
            .filter(|&i| {
                let d = &f.insts[i];
                d.op.has_effect() || d.op.is_check() || d.result.is_some_and(|r| values.contains(r))
            })
            .collect();
        changed |= kept.len() != before;
        f.blocks[b].insts = kept;
    }
    let mut seen = vec![false; f.blocks.len()];
    for &b in &order {
        seen[b.as_u32() as usize] = true;
    }
    for b in f.blocks.keys() {
        if !seen[b.as_u32() as usize] && f.blocks[b].term != Terminator::Unreachable {
            f.blocks[b].insts.clear();
            f.blocks[b].term = Terminator::Unreachable;
            changed = true;
        }
    }
    for &b in order[1..].iter() {
        let keep: Vec<bool> = f.blocks[b].params.iter().map(|&p| values.contains(p)).collect();
        if keep.iter().all(|&k| k) {
            continue;
        }
        changed = true;
        super::cfg::drop_params(f, b, &keep, &preds[b]);
    }
    changed
}

struct Live<'a> {
    f: &'a Function,
    values: EntitySet<Value>,
    states: EntitySet<State>,
    work: Vec<Value>,
}

impl Live<'_> {
    fn value(&mut self, v: Value) {
        if self.values.insert(v) {
            self.work.push(v);
        }
    }

    fn state(&mut self, s: State) {
        let mut next = Some(s);
        while let Some(s) = next {
            if !self.states.insert(s) {
                return;
            }
            for v in self.f.states[s].uses() {
                self.value(v);
            }
            next = self.f.states[s].parent;
        }
    }
}
