//! Operations with their immediates.

use super::{Fault, Parser};
use crate::compiler::ir::{
    Action, Binary, Cond, Convert, Fence, Mem, Op, Order, Reason, Rmw, Runtime, Target, Type, Unary,
};
use std::fmt::Display;

/// The variant that is written `word`.
pub(super) fn among<T: Copy + Display>(all: &[T], word: &str) -> Option<T> {
    all.iter().copied().find(|x| x.to_string() == word)
}

impl Parser<'_> {
    pub(super) fn operation(&mut self) -> Result<Op, Fault> {
        let word = self.word("an operation")?;
        let mut parts = word.split('.');
        let name = parts.next().unwrap_or_default();
        let fault = self.fault(format!("no operation is {word}"));
        let unknown = || fault.clone();
        // What stands after the operation's name, parted by dots.
        let parts: Vec<&str> = parts.collect();
        let mem = || parts.first().and_then(|p| among(&Mem::ALL, p)).ok_or_else(unknown);
        let cond = || parts.first().and_then(|p| among(&Cond::ALL, p)).ok_or_else(unknown);
        let order = || match parts.get(1) {
            None => Ok(Order::Plain),
            Some(p) => Order::by_name(p).ok_or_else(unknown),
        };
        let (op, used) = match name {
            "compare" => (Op::Compare(cond()?), 1),
            "fcompare" => match parts[..] {
                [_, "nan"] => (Op::FCompare(cond()?, true), 2),
                _ => (Op::FCompare(cond()?, false), 1),
            },
            "load" => (Op::Load(mem()?, self.number()?, order()?), parts.len().min(2)),
            "store" => (Op::Store(mem()?, self.number()?, order()?), parts.len().min(2)),
            "load_element" => (Op::LoadElement(mem()?), 1),
            "store_element" => (Op::StoreElement(mem()?), 1),
            "load_unsafe" => (Op::LoadUnsafe(mem()?, order()?), parts.len().min(2)),
            "store_unsafe" => (Op::StoreUnsafe(mem()?, order()?), parts.len().min(2)),
            "compare_exchange" => (Op::CompareExchange(mem()?), 1),
            "load_raw" => (Op::LoadRaw(mem()?, self.number()?), 1),
            "store_raw" => (Op::StoreRaw(mem()?, self.number()?), 1),
            "fence" => (Op::Fence(parts.first().and_then(|p| Fence::by_name(p)).ok_or_else(unknown)?), 1),
            "call" => {
                let target: fn(_) -> Target = match parts.first() {
                    Some(&"direct") => Target::Direct,
                    Some(&"virtual") => Target::Virtual,
                    Some(&"interface") => Target::Interface,
                    Some(&"method_handle") => Target::MethodHandle,
                    _ => return Err(unknown()),
                };
                (Op::Call(target(self.method()?)), 1)
            }
            "call_runtime" => {
                (Op::CallRuntime(parts.first().and_then(|p| Runtime::by_name(p)).ok_or_else(unknown)?), 1)
            }
            _ => match name.strip_prefix("rmw_") {
                Some(rmw) => (Op::Rmw(Rmw::by_name(rmw).ok_or_else(unknown)?, mem()?), 1),
                None => (self.simple(name)?.ok_or_else(unknown)?, 0),
            },
        };
        if used != parts.len() {
            return Err(fault);
        }
        Ok(op)
    }

    /// Operations that are named by one word.
    fn simple(&mut self, name: &str) -> Result<Option<Op>, Fault> {
        Ok(Some(match name {
            "const" => Op::Const(self.number()?),
            "fconst" => Op::FConst(self.number()?),
            "null" => Op::Null,
            "object" => Op::Object(self.number()?),
            "mirror" => Op::Mirror(self.class()?),
            "osr_local" => Op::OsrLocal(self.number()?),
            "take_exception" => Op::TakeException,
            "current_thread" => Op::CurrentThread,
            "compare3" => Op::Compare3,
            "fcompare3" => Op::FCompare3(self.number()?),
            "select" => Op::Select,
            "null_check" => Op::NullCheck,
            "bounds_check" => Op::BoundsCheck,
            "div_zero_check" => Op::DivZeroCheck,
            "check_cast" => Op::CheckCast(self.class()?),
            "exact_class" => Op::ExactClass(self.class()?, self.reason()?, self.action()?),
            "store_check" => Op::StoreCheck,
            "guard" => Op::Guard(self.reason()?, self.action()?),
            "instance_of" => Op::InstanceOf(self.class()?),
            "load_class" => Op::LoadClass,
            "is_subclass" => Op::IsSubclass,
            "array_length" => Op::ArrayLength,
            "new_instance" => Op::NewInstance(self.class()?),
            "new_array" => Op::NewArray(self.class()?),
            "safepoint" => Op::Safepoint,
            "loop_entry" => Op::LoopEntry,
            "count" => Op::Count(self.number()?),
            "profile_type" => Op::ProfileType(self.number()?),
            "count_and_notify" => Op::CountAndNotify {
                cell: self.number()?,
                mask: self.number()?,
                method: self.method()?,
                bci: self.number()?,
            },
            _ => {
                let binary = Binary::by_name(name).map(Op::Binary);
                let unary = || Unary::by_name(name).map(Op::Unary);
                return Ok(binary.or_else(unary).or_else(|| Convert::by_name(name).map(Op::Convert)));
            }
        }))
    }

    pub(super) fn reason(&mut self) -> Result<Reason, Fault> {
        let word = self.word("a reason")?;
        among(Reason::ALL, word).ok_or_else(|| self.fault(format!("no reason is {word}")))
    }

    pub(super) fn action(&mut self) -> Result<Action, Fault> {
        let word = self.word("an action")?;
        among(Action::ALL, word).ok_or_else(|| self.fault(format!("no action is {word}")))
    }

    pub(super) fn ty(&mut self) -> Result<Type, Fault> {
        let word = self.word("a type")?;
        among(&Type::ALL, word).ok_or_else(|| self.fault(format!("no type is {word}")))
    }

    pub(super) fn mem(&mut self) -> Result<Mem, Fault> {
        let word = self.word("a memory type")?;
        among(&Mem::ALL, word).ok_or_else(|| self.fault(format!("no memory type is {word}")))
    }
}
