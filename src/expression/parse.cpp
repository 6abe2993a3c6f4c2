// SPDX-License-Identifier: Apache-2.0
// Recursive descent over the text itself; every error names the column where it was found.
#include "sobolev/expression/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>

#include "functions.hpp"
#include "operations.hpp"
#include "parse_hints.hpp"
#include "sobolev/core/words.hpp"
#include "sobolev/expression/jumps.hpp"

namespace sobolev {
namespace {
constexpr std::size_t longest_text = 65536;
constexpr int deepest = 200;
constexpr int highest_order = 16;
// Nodes of a derivative, and of all derivatives of a text together: beyond, memory and time run away.
constexpr std::size_t largest_derivative = 30'000, most_work = 150'000;
constexpr std::size_t most_names = 30;  // listed in a message

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

/// Columns count characters, not bytes.
std::size_t characters(std::string_view text) {
  return std::size_t(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

class Parser {
 public:
  Parser(std::string_view text, const ExpressionScope& scope, const SourcePosition& position)
      : text_(text), scope_(scope), position_(position) {
    if (text.size() > longest_text)
      fail(0, fmt::format("an expression of {} bytes; at most {} are allowed", text.size(), longest_text));
  }

  Expr whole() {
    const Expr e = sum();
    skip();
    if (at_ < text_.size()) fail(at_, trailing());
    return e;
  }

  std::pair<Expr, Expr> equation() {
    const Expr left = sum();
    skip();
    if (at_ == text_.size()) return {left, Expr(0.0)};
    if (text_[at_] != '=') fail(at_, trailing());
    ++at_;
    if (at_ < text_.size() && text_[at_] == '=') ++at_;
    const Expr right = sum();
    skip();
    if (at_ < text_.size())
      fail(at_, text_[at_] == '=' ? "a second '='; an equation has one left and one right side" : trailing());
    return {left, right};
  }

 private:
  [[noreturn]] void fail(std::size_t at, const std::string& message) const {
    SourcePosition p = position_;
    if (p.line == 0) p.line = 1;
    if (p.column == 0) p.column = 1;
    const std::string_view before = text_.substr(0, std::min(at, text_.size()));
    const std::size_t lines = std::size_t(std::count(before.begin(), before.end(), '\n'));
    if (lines > 0) {
      p.line += lines;
      p.column = 1 + characters(before.substr(before.rfind('\n') + 1));
    } else {
      p.column += characters(before);
    }
    throw ParseError(p, message);
  }

  std::string trailing() const {
    const char c = text_[at_];
    if (const std::string hint = detail::character_hint(text_.substr(at_)); !hint.empty()) return hint;
    if (c == ')') return "')' without a matching '('";
    if (c == '=') return "'=' is only allowed in equations";
    if (letter(c) || digit(c) || c == '(')
      return fmt::format("'{}' follows without an operator; write '*' to multiply", piece());
    return fmt::format("'{}' is not expected here; an operator or the end would be", piece());
  }

  /// Where ')' should stand: what stands there instead is at fault, not the '(' far to the left.
  [[noreturn]] void not_closed(std::size_t open, const std::string& message) {
    skip();
    if (at_ == text_.size()) fail(open, message);
    if (text_[at_] == '=') fail(at_, "'=' stands inside parentheses; an equation has it outside");
    if (text_[at_] == ',') fail(at_, "',' separates the arguments of a function; nothing is called here");
    fail(at_, trailing());
  }

  /// The next name or character, for messages.
  std::string piece() const {
    std::size_t end = at_;
    while (end < text_.size() && (letter(text_[end]) || digit(text_[end]))) ++end;
    if (end == at_) {
      ++end;
      while (end < text_.size() && (text_[end] & 0xC0) == 0x80) ++end;
    }
    if (end == at_ + 1 && std::uint8_t(text_[at_]) < 32) return fmt::format("\\x{:02x}", text_[at_]);
    return std::string(text_.substr(at_, std::min<std::size_t>(end - at_, 40)));
  }

  void skip() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  struct Depth {
    Parser& p;
    explicit Depth(Parser& parser) : p(parser) {
      if (++p.depth_ > deepest) p.fail(p.at_, fmt::format("nested more than {} levels deep", deepest));
    }
    ~Depth() { --p.depth_; }
  };

  /// The text from `at` to here, abbreviated.
  std::string shown(std::size_t at) const {
    constexpr std::size_t longest = 80;
    if (at_ - at <= longest) return std::string(text_.substr(at, at_ - at));
    return std::string(text_.substr(at, longest)) + "…";
  }

  /// A constant that came out of an operation must be finite.
  Expr checked(Expr e, std::size_t at) const {
    if (e.is_constant() && !std::isfinite(e->value))
      fail(at, fmt::format("'{}' is not a finite number", shown(at)));
    return e;
  }

  Expr sum() {
    skip();
    const std::size_t start = at_;
    Expr e = product();
    for (;;) {
      if (take('+'))
        e = checked(e + product(), start);
      else if (take('-'))
        e = checked(e - product(), start);
      else
        return e;
    }
  }

  Expr product() {
    skip();
    const std::size_t start = at_;
    Expr e = unary();
    for (;;) {
      skip();
      if (take('*'))
        e = checked(e * unary(), start);
      else if (take('/')) {
        const Expr divisor = unary();
        if (divisor.is_constant(0)) fail(start, fmt::format("division by zero in '{}'", shown(start)));
        e = checked(e / divisor, start);
      } else
        return e;
    }
  }

  Expr unary() {
    skip();
    if (at_ == text_.size() || (text_[at_] != '-' && text_[at_] != '+')) return power();
    const Depth guard(*this);
    return text_[at_++] == '-' ? -unary() : unary();
  }

  Expr power() {
    skip();
    const std::size_t start = at_;
    const Expr base = primary();
    skip();
    if (text_.substr(at_, 2) == "**")
      at_ += 2;
    else if (!take('^'))
      return base;
    const Depth guard(*this);
    return checked(pow(base, unary()), start);
  }

  Expr primary() {
    skip();
    if (at_ == text_.size()) fail(at_, "the expression ends where a number, a name or '(' was expected");
    const char c = text_[at_];
    if (c == '(') {
      const Depth guard(*this);
      const std::size_t open = at_++;
      const Expr e = sum();
      if (!take(')')) not_closed(open, "'(' is never closed");
      return e;
    }
    if (digit(c) || c == '.') return number();
    if (letter(c)) return name();
    const std::string hint = detail::character_hint(text_.substr(at_));
    fail(at_, !hint.empty()
                  ? hint
                  : fmt::format("'{}' is not expected here; a number, a name or '(' would be", piece()));
  }

  Expr number() {
    double value = 0;
    const char* first = text_.data() + at_;
    const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range)
      fail(at_, "a number too large or too small for double precision");
    if (error != std::errc()) fail(at_, fmt::format("'{}' is not a number", piece()));
    at_ += std::size_t(end - first);
    if (!std::isfinite(value)) fail(at_, "not a finite number");
    return Expr(value);
  }

  std::string identifier() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (letter(text_[at_]) || digit(text_[at_]))) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  static bool has(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  Expr name() {
    const std::size_t start = at_;
    const std::string id = identifier();
    skip();
    if (at_ < text_.size() && text_[at_] == '(') return call(id, start);
    if (has(scope_.coordinates, id)) return coordinate(id);
    if (has(scope_.unknowns, id)) return field(id);
    if (const auto it = scope_.constants.find(id); it != scope_.constants.end()) return Expr(it->second);
    if (has(scope_.unknown_constants, id)) return unknown_constant(id);
    if (const auto e = subscripted(id, start)) return *e;
    if (id == "pi") return Expr(std::numbers::pi);
    if (id == "e") return Expr(std::numbers::e);
    if (detail::find_function(id) || id == "d")
      fail(start, fmt::format("the function {} needs its argument in parentheses: {}(…)", id, id));
    unknown_name(id, start);
  }

  [[noreturn]] void unknown_name(const std::string& id, std::size_t start) const {
    if (const std::string hint = detail::name_hint(id); !hint.empty())
      fail(start, fmt::format("unknown name '{}': {}", id, hint));
    std::vector<std::string> known{"pi", "e"};
    known.insert(known.end(), scope_.coordinates.begin(), scope_.coordinates.end());
    known.insert(known.end(), scope_.unknowns.begin(), scope_.unknowns.end());
    for (const auto& [constant, value] : scope_.constants) known.push_back(constant);
    known.insert(known.end(), scope_.unknown_constants.begin(), scope_.unknown_constants.end());
    const std::string near = nearest_name(id, known);
    const std::size_t more = known.size() - std::min(known.size(), most_names);
    known.resize(known.size() - more);
    fail(start, fmt::format("unknown name '{}'{}; known are {}{}", id,
                            near.empty() ? "" : fmt::format(", did you mean '{}'?", near),
                            fmt::join(known, ", "), more > 0 ? fmt::format(" and {} more", more) : ""));
  }

  /// u_xxt: an unknown, an underscore, letters of coordinates.
  std::optional<Expr> subscripted(const std::string& id, std::size_t start) const {
    const std::size_t underscore = id.rfind('_');
    if (underscore == std::string::npos || underscore == 0) return {};
    const std::string base = id.substr(0, underscore), letters = id.substr(underscore + 1);
    if (!has(scope_.unknowns, base)) return {};
    if (letters.empty())
      fail(start, fmt::format("'{}': the coordinates of the derivative are missing after '_'", id));
    if (letters.size() > 1 && has(scope_.coordinates, letters))
      fail(start,
           fmt::format("'{}': subscripts are coordinates of one letter; write d({}, {})", id, base, letters));
    if (int(letters.size()) > highest_order)
      fail(start, fmt::format("'{}': more than {} derivatives", id, highest_order));
    Derivative d;
    for (char c : letters) {
      const std::string name(1, c);
      if (!has(scope_.coordinates, name)) fail(start, not_a_letter(id, base, name));
      const auto it = std::find_if(d.begin(), d.end(), [&](const auto& p) { return p.first == name; });
      if (it == d.end())
        d.emplace_back(name, 1);
      else
        ++it->second;
    }
    return field(base, d);
  }

  std::string not_a_letter(const std::string& id, const std::string& base, const std::string& letter) const {
    for (const std::string& c : scope_.coordinates)
      if (c.size() > 1)
        return fmt::format("'{}': '{}' is not a coordinate of one letter; for others write d({}, {})", id,
                           letter, base, c);
    return fmt::format("'{}': '{}' is not a coordinate; they are {}", id, letter,
                       fmt::join(scope_.coordinates, ", "));
  }

  Expr call(const std::string& id, std::size_t start) {
    const Depth guard(*this);
    const std::size_t open = at_++;
    if (id == "d") return derivative(open, start);
    const detail::Function* f = detail::find_function(id);
    if (!f) no_function(id, start, open);
    std::vector<Expr> arguments;
    if (!take(')')) {
      do arguments.push_back(sum());
      while (take(','));
      if (!take(')')) not_closed(open, fmt::format("the '(' of {} is never closed", id));
    }
    if (int(arguments.size()) != f->arity)
      fail(start, fmt::format("{} takes {} argument{}, {} given", id, f->arity, f->arity == 1 ? "" : "s",
                              arguments.size()));
    return checked(detail::call_function(*f, arguments), start);
  }

  [[noreturn, gnu::noinline]] void no_function(const std::string& id, std::size_t start,
                                               std::size_t open) const {
    if (has(scope_.unknowns, id)) fail(start, called_unknown(id, open));
    if (has(scope_.coordinates, id) || scope_.constants.count(id) || has(scope_.unknown_constants, id) ||
        id == "pi" || id == "e")
      fail(start, fmt::format("'{}' is not a function; write {}*(…) to multiply", id, id));
    if (const std::string hint = detail::function_hint(id); !hint.empty())
      fail(start, fmt::format("unknown function '{}': {}", id, hint));
    std::vector<std::string> names = detail::function_names();
    names.push_back("d");
    const std::string near = nearest_name(id, names);
    fail(start,
         fmt::format("unknown function '{}'{}; known are {}", id,
                     near.empty() ? "" : fmt::format(", did you mean '{}'?", near), fmt::join(names, " ")));
  }

  /// u(t, x), u(0) or u(1 - u): the first two are not a forgotten '*'.
  std::string called_unknown(const std::string& id, std::size_t open) const {
    const std::size_t close = text_.find(')', open);
    const std::string_view inside =
        text_.substr(open + 1, close == std::string_view::npos ? close : close - open - 1);
    bool place = !inside.empty(), number = false;
    for (std::size_t at = 0; place && at <= inside.size();) {
      const std::size_t end = std::min(inside.find(',', at), inside.size());
      std::string argument(inside.substr(at, end - at));
      std::erase(argument, ' ');
      if (!has(scope_.coordinates, argument)) {
        const std::size_t sign = argument.starts_with('-') || argument.starts_with('+') ? 1 : 0;
        place = argument.size() > sign &&
                argument.find_first_not_of("0123456789.eE+-", sign) == std::string::npos;
        number = true;
      }
      at = end + 1;
    }
    if (!place) return fmt::format("'{}' is not a function; write {}*(…) to multiply", id, id);
    if (!number) return fmt::format("'{}' stands for its value at every point; write {} without (…)", id, id);
    return fmt::format(
        "'{}' cannot be taken at a place in an expression; a value there is a condition of its own: where = "
        "\"{} = 0\", equation = \"{} = …\". Equal values at both ends are a coordinate with periodic = true",
        id, scope_.coordinates.empty() ? "x" : scope_.coordinates.back(), id);
  }

  /// Not inlined: calls nest, and their frames must stay small.
  [[gnu::noinline]] Expr derivative(std::size_t open, std::size_t start) {
    Expr e = sum();
    std::string last;  // the coordinate that an order may follow
    int count = 0;
    while (take(',')) {
      skip();
      const std::size_t at = at_;
      if (!last.empty() && at_ < text_.size() && digit(text_[at_])) {
        const int order = whole_order();
        if (order < 1 || (count += order - 1) > highest_order)
          fail(at, fmt::format("d(…): an order is a whole number from 1 to {}: d(u, {}, 2)", highest_order,
                               last));
        for (int i = 1; i < order; ++i) e = differentiate(e, last);
        last.clear();
        continue;
      }
      const std::string id = identifier();
      if (!has(scope_.coordinates, id))
        fail(at, fmt::format("d(…): '{}' is not a coordinate; they are {}", id.empty() ? piece_or_end() : id,
                             fmt::join(scope_.coordinates, ", ")));
      if (++count > highest_order) fail(at, fmt::format("d(…): more than {} derivatives", highest_order));
      e = differentiated(e, id, start);
      last = id;
    }
    if (!take(')')) not_closed(open, "the '(' of d is never closed");
    if (count == 0) fail(start, "d needs an expression and at least one coordinate: d(u, x)");
    return checked(e, start);
  }
  /// Digits up to the next ',' or ')'; 0 when that is not what stands there.
  int whole_order() {
    int order = 0;
    for (; at_ < text_.size() && digit(text_[at_]); ++at_)
      order = std::min(10 * order + (text_[at_] - '0'), 1000);
    skip();
    return at_ == text_.size() || text_[at_] == ',' || text_[at_] == ')' ? order : 0;
  }
  Expr differentiated(Expr e, const std::string& coordinate, std::size_t start) {
    if (const auto jump = find_jump(e, scope_.ranges, coordinate)) {
      if (!has(scope_.cuttable, coordinate)) fail(start, "d(…): " + dropped_delta(*jump, coordinate));
      refuse_jumps_beside_places(e, coordinate, start);
      return kept_derivative(e, coordinate);
    }
    for (const Expr inner : kept_derivatives(e))
      if (const auto jump = find_jump(inner->a, scope_.ranges, coordinate); jump && inner->name != coordinate)
        fail(start, "d(…): " + dropped_delta(*jump, coordinate));
    e = differentiate(e, coordinate);
    const std::size_t nodes =
        detail::operands_first(std::span<const Expr>(&e, 1), [](Expr) { return true; }).size();
    work_ += nodes;
    if (nodes > largest_derivative || work_ > most_work)
      fail(start,
           fmt::format("d(…): the derivative has {} operations, too many; lower its order, or make the "
                       "inner derivatives unknowns of their own",
                       nodes));
    return e;
  }
  /// Those that remain between the places where e jumps.
  void refuse_jumps_beside_places(Expr e, const std::string& coordinate, std::size_t start) const {
    const auto range = scope_.ranges.find(coordinate);
    if (range == scope_.ranges.end()) return;
    const auto [low, high] = range->second;
    std::vector<double> edges = jump_places(e, coordinate, low, high, scope_.ranges);
    edges.insert(edges.begin(), low);
    edges.push_back(high);
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
      CoordinateBox box = scope_.ranges;
      box[coordinate] = {edges[i], edges[i + 1]};
      if (const auto jump = find_jump(between(e, coordinate, edges[i], edges[i + 1]), box, coordinate))
        fail(start, "d(…): " + dropped_delta(*jump, coordinate));
    }
  }
  std::string piece_or_end() const { return at_ < text_.size() ? piece() : "the end"; }

  std::string_view text_;
  const ExpressionScope& scope_;
  SourcePosition position_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::size_t work_ = 0;
};
}  // namespace

Expr parse_expression(std::string_view text, const ExpressionScope& scope, const SourcePosition& position) {
  return Parser(text, scope, position).whole();
}

std::pair<Expr, Expr> parse_equation(std::string_view text, const ExpressionScope& scope,
                                     const SourcePosition& position) {
  return Parser(text, scope, position).equation();
}

}  // namespace sobolev
