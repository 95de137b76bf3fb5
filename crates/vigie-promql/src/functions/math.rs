//! Functions and operators of plain numbers.

use std::f64::consts::PI;

use super::date::Date;
use crate::syntax::{BinaryOp, Function};

/// The function of one number that `function` is, if it is one.
pub(crate) fn of_one(function: Function) -> Option<fn(f64) -> f64> {
    Some(match function {
        Function::Abs => f64::abs,
        Function::Acos => f64::acos,
        Function::Acosh => f64::acosh,
        Function::Asin => f64::asin,
        Function::Asinh => f64::asinh,
        Function::Atan => f64::atan,
        Function::Atanh => f64::atanh,
        Function::Ceil => f64::ceil,
        Function::Cos => f64::cos,
        Function::Cosh => f64::cosh,
        Function::Deg => |value| value * 180.0 / PI,
        Function::Exp => f64::exp,
        Function::Floor => f64::floor,
        Function::Ln => f64::ln,
        Function::Log10 => f64::log10,
        Function::Log2 => f64::log2,
        Function::Rad => |value| value * PI / 180.0,
        Function::Sgn => |value| {
            if value == 0.0 || value.is_nan() {
                value
            } else {
                value.signum()
            }
        },
        Function::Sin => f64::sin,
        Function::Sinh => f64::sinh,
        Function::Sqrt => f64::sqrt,
        Function::Tan => f64::tan,
        Function::Tanh => f64::tanh,
        _ => return None,
    })
}

/// The function of a time in seconds that `function` is, if it is one.
pub(crate) fn of_date(function: Function) -> Option<fn(Date) -> i64> {
    Some(match function {
        Function::DayOfMonth => |date| date.day,
        Function::DayOfWeek => Date::day_of_week,
        Function::DayOfYear => Date::day_of_year,
        Function::DaysInMonth => Date::days_in_month,
        Function::Hour => |date| date.hour,
        Function::Minute => |date| date.minute,
        Function::Month => |date| date.month,
        Function::Year => |date| date.year,
        _ => return None,
    })
}

/// Rounds to a multiple of `nearest`, halves up. The inverse is used because it is more exact for parts such as 0.1.
pub(crate) fn round(value: f64, nearest: f64) -> f64 {
    let inverse = 1.0 / nearest;
    (value * inverse + 0.5).floor() / inverse
}

/// Within the bounds; NaN where either bound or the value is NaN, unless infinity decides all the same.
pub(crate) fn clamp(value: f64, lowest: f64, highest: f64) -> f64 {
    max(lowest, min(highest, value))
}

/// Go's `math.Min`: -Inf wins over NaN, NaN over all else.
fn min(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    a.min(b)
}

/// Go's `math.Max`: +Inf wins over NaN, NaN over all else.
fn max(a: f64, b: f64) -> f64 {
    -min(-a, -b)
}

/// The result of an arithmetic operator; of a comparison, whether it holds.
#[inline]
pub(crate) fn operate(op: BinaryOp, left: f64, right: f64) -> f64 {
    match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div => left / right,
        BinaryOp::Mod => left % right,
        BinaryOp::Pow => left.powf(right),
        BinaryOp::Atan2 => left.atan2(right),
        _ => f64::from(u8::from(holds(op, left, right))),
    }
}

/// Whether a comparison holds; never for other operators.
#[inline]
pub(crate) fn holds(op: BinaryOp, left: f64, right: f64) -> bool {
    match op {
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        BinaryOp::Greater => left > right,
        BinaryOp::Less => left < right,
        BinaryOp::GreaterEqual => left >= right,
        BinaryOp::LessEqual => left <= right,
        _ => false,
    }
}
