// SPDX-License-Identifier: Apache-2.0
#include "parse_hints.hpp"

#include <fmt/format.h>

namespace sobolev::detail {
namespace {
struct Hint {
  std::string_view words;  // separated by spaces
  std::string_view text;
};

constexpr Hint function_hints[] = {
    {"ln Log", "the natural logarithm is log(…)"},
    {"log10 lg", "write log(…)/log(10)"},
    {"log2 ld", "write log(…)/log(2)"},
    {"arcsin arccos arctan", "the inverse functions are asin, acos and atan"},
    {"sec csc cot sech csch coth", "write 1/cos(…), 1/sin(…), 1/tan(…) or the same of cosh, sinh, tanh"},
    {"asinh acosh atanh arcsinh arccosh arctanh",
     "write it by log and sqrt: asinh(x) = log(x + sqrt(x^2 + 1))"},
    {"Abs fabs", "the absolute value is abs(…)"},
    {"sgn signum", "the sign is sign(…)"},
    {"step H Heaviside theta Theta", "the step is heaviside(…)"},
    {"delta dirac Dirac DiracDelta",
     "there are no delta functions; use a narrow one: exp(-(x/w)^2)/(w*sqrt(pi)) with a small width w"},
    {"if where piecewise Piecewise ifelse cond",
     "there are no cases; with heaviside(z), which is 1 where z > 0, a case is a + heaviside(z)*(b - a); min "
     "and max may do as well"},
    {"diff D Derivative deriv der grad derivative", "a derivative is d(u, x), or u_x"},
    {"laplacian laplace Laplacian lap div curl", "write the derivatives out: u_xx + u_yy"},
    {"int integral Integral integrate quad sum",
     "there are no integrals; make one an unknown of its own: v_x = u, with v = 0 where it begins"},
    {"floor ceil round mod fmod",
     "there are no steps of that kind; heaviside and sign are the ones there are"},
};

constexpr Hint name_hints[] = {
    {"i j I J",
     "there are no complex numbers; write real and imaginary part as two unknowns: with psi = u + i*v, "
     "i*psi_t = psi_xx is -v_t = u_xx and u_t = v_xx"},
    {"inf Inf infinity oo nan NaN", "numbers are finite; cut the domain at a finite place"},
    {"Pi PI", "the number is pi"},
};

constexpr std::string_view comparison =
    "compares, and expressions cannot; heaviside(z) is 1 where z > 0 and 0 where z < 0: write "
    "heaviside(b - a) for a < b";
struct Sequence {
  std::string_view begin, text;
};
constexpr Sequence sequences[] = {
    {"<", comparison},
    {">", comparison},
    {"≤", comparison},
    {"≥", comparison},
    {"!", "is not there; heaviside(z) and 1 - heaviside(z) stand for a condition and its opposite"},
    {"&", "is not there; multiply heaviside functions for \"and\""},
    {"?", "is not there; a case is a + heaviside(z)*(b - a)"},
    {"|", "is not there; the absolute value is abs(…), and max of heaviside functions stands for \"or\""},
    {"%", "is not there; write the period out, or use sin and cos"},
    {"'", "is not there; a derivative is u_x, or d(u, x)"},
    {"[", "is not there; group with ( and )"},
    {"{", "is not there; group with ( and )"},
    {":", "is not there; an equation has one '='"},
    {"−", "is not the minus sign of the keyboard; write '-'"},
    {"–", "is not the minus sign of the keyboard; write '-'"},
    {"·", "is not there; multiply with '*'"},
    {"×", "is not there; multiply with '*'"},
    {"²", "is not there; write ^2"},
    {"³", "is not there; write ^3"},
    {"π", "is not there; the number is pi"},
    {"∂", "is not there; a derivative is u_x, or d(u, x)"},
    {"√", "is not there; the root is sqrt(…)"},
};

template <std::size_t N>
std::string find(const Hint (&hints)[N], std::string_view name) {
  for (const Hint& hint : hints)
    for (std::size_t at = 0; at < hint.words.size();) {
      const std::size_t end = std::min(hint.words.find(' ', at), hint.words.size());
      if (hint.words.substr(at, end - at) == name) return std::string(hint.text);
      at = end + 1;
    }
  return {};
}
}  // namespace

std::string function_hint(std::string_view name) { return find(function_hints, name); }
std::string name_hint(std::string_view name) { return find(name_hints, name); }
std::string character_hint(std::string_view rest) {
  for (const Sequence& s : sequences)
    if (rest.starts_with(s.begin)) return fmt::format("'{}' {}", s.begin, s.text);
  return {};
}
}  // namespace sobolev::detail
