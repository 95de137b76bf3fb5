//! Functions of scalars.

use std::f64::consts::{LN_2, PI};

use super::date::Date;
use crate::syntax::Function;

/// The implementation of a function of one number; `None` for other functions.
pub(crate) fn of_one(function: Function) -> Option<fn(f64) -> f64> {
    Some(match function {
        Function::Abs => f64::abs,
        Function::Acos => f64::acos,
        Function::Acosh => acosh,
        Function::Asin => f64::asin,
        Function::Asinh => asinh,
        Function::Atan => f64::atan,
        Function::Atanh => f64::atanh,
        Function::Ceil => f64::ceil,
        Function::Cos => f64::cos,
        Function::Cosh => cosh,
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
        Function::Sinh => sinh,
        Function::Sqrt => f64::sqrt,
        Function::Tan => f64::tan,
        Function::Tanh => f64::tanh,
        _ => return None,
    })
}

/// The implementation of a function of a time in seconds; `None` for other functions.
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

/// From here on the squares in the definitions of `asinh` and `acosh` are negligible; much larger ones overflow.
const LARGE: f64 = (1_u32 << 28) as f64;

/// From here on `exp(-x)` is negligible in the definitions of `sinh` and `cosh`.
const STEEP: f64 = 21.0;

fn asinh(value: f64) -> f64 {
    match value.abs() > LARGE {
        true => (value.abs().ln() + LN_2).copysign(value),
        false => value.asinh(),
    }
}

fn acosh(value: f64) -> f64 {
    match value > LARGE {
        true => value.ln() + LN_2,
        false => value.acosh(),
    }
}

/// Overflows where `exp` does, slightly earlier than necessary, as in Prometheus.
fn sinh(value: f64) -> f64 {
    match value.abs() > STEEP {
        true => (value.abs().exp() * 0.5).copysign(value),
        false => value.sinh(),
    }
}

/// Overflows as [`sinh`] does.
fn cosh(value: f64) -> f64 {
    match value.abs() > STEEP {
        true => value.abs().exp() * 0.5,
        false => value.cosh(),
    }
}

/// Rounds to a multiple of `nearest`, halves up. Multiplies by the inverse, which is more exact for fractions such as
/// 0.1.
pub(crate) fn round(value: f64, nearest: f64) -> f64 {
    let inverse = 1.0 / nearest;
    (value * inverse + 0.5).floor() / inverse
}

/// Limits `value` to the bounds. NaN if a bound or the value is NaN, unless an infinity determines the result.
pub(crate) fn clamp(value: f64, lowest: f64, highest: f64) -> f64 {
    max(lowest, min(highest, value))
}

/// Go's `math.Min`: -Inf takes precedence over NaN, NaN over all other values, -0 over 0.
pub(crate) fn min(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if a == b {
        return if a.is_sign_negative() { a } else { b };
    }
    a.min(b)
}

/// Go's `math.Max`: +Inf takes precedence over NaN, NaN over all other values, 0 over -0.
pub(crate) fn max(a: f64, b: f64) -> f64 {
    -min(-a, -b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes() {
        let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-12 * expected.abs();
        for (found, expected) in [
            (asinh(f64::MAX), 710.475_860_073_943_9),
            (asinh(-f64::MAX), -710.475_860_073_943_9),
            (asinh(1e300), 691.468_675_078_773_7),
            (asinh(268_435_456.5), 20.101_268_238_107_1),
            (acosh(f64::MAX), 710.475_860_073_943_9),
            (acosh(9e307), 709.783_995_307_068_2),
            (sinh(30.0), 5_343_237_290_762.231),
            (cosh(-30.0), 5_343_237_290_762.231),
        ] {
            assert!(near(found, expected), "{found} is not {expected}");
        }
        assert_eq!(asinh(f64::INFINITY), f64::INFINITY);
        assert_eq!(asinh(f64::NEG_INFINITY), f64::NEG_INFINITY);
        assert_eq!(asinh(-0.0).to_bits(), (-0.0_f64).to_bits());
        assert_eq!((acosh(1.0), acosh(f64::INFINITY)), (0.0, f64::INFINITY));
        assert!(acosh(0.5).is_nan() && acosh(f64::NAN).is_nan() && asinh(f64::NAN).is_nan());
        assert_eq!(sinh(-710.0), f64::NEG_INFINITY);
        assert_eq!(cosh(-710.0), f64::INFINITY);
        assert!(sinh(f64::NAN).is_nan() && cosh(f64::NAN).is_nan());
    }

    #[test]
    fn zeros_have_signs() {
        let bits = |value: f64| value.to_bits();
        for (value, lowest, highest, expected) in [
            (-0.0, f64::NEG_INFINITY, 0.0, -0.0),
            (0.0, f64::NEG_INFINITY, -0.0, -0.0),
            (-0.0, 0.0, f64::INFINITY, 0.0),
            (0.0, -0.0, f64::INFINITY, 0.0),
            (-0.0, -0.0, 0.0, -0.0),
        ] {
            let found = clamp(value, lowest, highest);
            assert_eq!(bits(found), bits(expected), "{value} {lowest} {highest}");
        }
    }
}
