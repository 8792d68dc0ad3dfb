//! Where ways through a split call meet again: the returns of an inlined method, the cases of a call split by the
//! receiver's class.

use super::super::ir::{Block, Edge, Function, Op, RefFacts, Terminator, Type, Value};

/// What holds for references of both kinds.
pub(super) fn join_facts(a: RefFacts, b: RefFacts) -> RefFacts {
    let class = match (a.class, b.class) {
        (Some(x), Some(y)) if x == y => Some(x),
        (Some(x), Some(y)) if !x.is_interface() && !y.is_interface() => {
            let mut common = Some(x);
            while let Some(c) = common.filter(|c| !y.is_subclass_of(c)) {
                common = c.super_class;
            }
            common
        }
        _ => None,
    };
    RefFacts {
        class,
        exact: a.exact && b.exact && class.is_some() && a.class == b.class,
        non_null: a.non_null && b.non_null,
    }
}

/// What is known of a reference that is one of `values`. Null is of any class.
pub(super) fn facts_of_any(f: &Function, values: impl Iterator<Item = Value>) -> RefFacts {
    let mut joined: Option<RefFacts> = None;
    let mut null = false;
    for v in values {
        if matches!(f.def(v).map(|d| &d.op), Some(Op::Null)) {
            null = true;
            continue;
        }
        let facts = f.values[v].facts;
        joined = Some(joined.map_or(facts, |j| join_facts(j, facts)));
    }
    let joined = joined.unwrap_or_default();
    RefFacts { non_null: joined.non_null && !null, ..joined }
}

/// See the module comment.
pub(super) struct Meeting {
    pub block: Block,
    ty: Option<Type>,
    /// The last block of each way, and its value.
    ways: Vec<(Block, Option<Value>)>,
}

impl Meeting {
    /// A place where values of type `ty`, if any, will meet.
    pub fn new(f: &mut Function, ty: Option<Type>) -> Meeting {
        Meeting { block: f.new_block(), ty, ways: Vec::new() }
    }

    /// Ends `from` by going there with `value`.
    pub fn arrive(&mut self, f: &mut Function, from: Block, value: Option<Value>) {
        debug_assert_eq!(value.map(|v| f.ty(v)), self.ty);
        f.blocks[from].term = Terminator::Jump(Edge::new(self.block, vec![]));
        self.ways.push((from, value));
    }

    pub fn is_reached(&self) -> bool {
        !self.ways.is_empty()
    }

    /// All have arrived: the value there. It is a parameter of the block only if it is not the same on all ways.
    pub fn value(&self, f: &mut Function) -> Option<Value> {
        let ty = self.ty?;
        let first = self.ways.first()?.1?;
        if self.ways.iter().all(|w| w.1 == Some(first)) {
            return Some(first);
        }
        let facts = facts_of_any(f, self.ways.iter().filter_map(|w| w.1));
        let param = f.add_param(self.block, ty);
        f.values[param].facts = facts;
        for &(from, value) in &self.ways {
            if let Terminator::Jump(edge) = &mut f.blocks[from].term {
                edge.args.extend(value);
            }
        }
        Some(param)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_needs_no_parameter() {
        let mut f = Function::new("f".into(), &[Type::I32, Type::I32], Some(Type::I32));
        let (x, y) = (f.blocks[f.entry].params[0], f.blocks[f.entry].params[1]);
        let (a, b) = (f.new_block(), f.new_block());
        let mut same = Meeting::new(&mut f, Some(Type::I32));
        same.arrive(&mut f, a, Some(x));
        same.arrive(&mut f, b, Some(x));
        assert_eq!(same.value(&mut f), Some(x));
        assert_eq!(f.blocks[same.block].params, []);
        let mut other = Meeting::new(&mut f, Some(Type::I32));
        other.arrive(&mut f, a, Some(x));
        other.arrive(&mut f, b, Some(y));
        let v = other.value(&mut f).unwrap();
        assert_eq!(f.blocks[other.block].params, [v]);
        assert_eq!(f.blocks[b].term, Terminator::Jump(Edge::new(other.block, vec![y])));
        assert!(!Meeting::new(&mut f, None).is_reached());
    }

    #[test]
    fn null_is_of_any_class() {
        let mut f = Function::new("f".into(), &[Type::Ref], None);
        let m = f.methods.push(super::super::super::ir::MethodName { method: None, name: "f".into() });
        let x = f.blocks[f.entry].params[0];
        f.values[x].facts = RefFacts { class: None, exact: false, non_null: true };
        let null = f.append(f.entry, Op::Null, vec![], Some(Type::Ref), None, (m, 0)).unwrap();
        assert!(facts_of_any(&f, [x, x].into_iter()).non_null);
        assert!(!facts_of_any(&f, [x, null].into_iter()).non_null);
    }
}
