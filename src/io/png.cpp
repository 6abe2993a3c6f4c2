// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/png.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
struct Linear {
  double red, green, blue;
};

/// OKLab (polar) to linear sRGB.
Linear from_oklch(double lightness, double chroma, double hue_degrees) {
  const double hue = hue_degrees * std::acos(-1.0) / 180;
  const double a = chroma * std::cos(hue), b = chroma * std::sin(hue);
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

std::uint8_t encoded(double linear) {
  const double x = std::clamp(linear, 0.0, 1.0);
  const double srgb = x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(255 * srgb));
}

/// A path through OKLab that rises evenly in lightness and turns evenly enough in hue that neighbours differ
/// by the same distance everywhere: a jump of that distance would look like a contour that is not in the
/// data.
struct ColourPath {
  double darkest, lightest;    // lightness at t = 0 and 1
  double (*chroma)(double t);  // smooth, and inside what a screen can show all along the path
  double first_hue, turn;      // degrees

  double lightness(double t) const { return darkest + (lightest - darkest) * t; }
};

constexpr int steps = 254;
const double pi = std::acos(-1.0);

/// Hues at the 255 entries such that each step has the length `distance`.
std::array<double, steps + 1> hues(const ColourPath& path, double distance) {
  std::array<double, steps + 1> hue{path.first_hue};
  for (int i = 0; i < steps; ++i) {
    const double t = double(i) / steps, next = double(i + 1) / steps;
    const double up = path.lightness(next) - path.lightness(t), out = path.chroma(next) - path.chroma(t);
    const double around = std::sqrt(std::max(0.0, distance * distance - up * up - out * out));
    const double degrees = around / path.chroma(0.5 * (t + next)) * 180 / pi;
    hue[std::size_t(i) + 1] = hue[std::size_t(i)] + std::copysign(degrees, path.turn);
  }
  return hue;
}

Palette along(const ColourPath& path) {
  double low = 0, high = 0.1;  // of the distance: bisection on how far the hue turns
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    const bool short_of = std::abs(hues(path, middle).back() - path.first_hue) < std::abs(path.turn);
    (short_of ? low : high) = middle;
  }
  const auto hue = hues(path, high);
  Palette out;
  out[0] = {128, 128, 128};
  for (int i = 0; i <= steps; ++i) {
    const double t = double(i) / steps;
    const Linear c = from_oklch(path.lightness(t), path.chroma(t), hue[std::size_t(i)]);
    out[std::size_t(i) + 1] = {encoded(c.red), encoded(c.green), encoded(c.blue)};
  }
  return out;
}

Palette make_palette(ColourMap map) {
  if (map == ColourMap::sequential)
    return along(
        {0.24, 0.93, [](double t) { return 0.114 - 0.032 * std::cos(2 * pi * (t - 0.33)); }, 285, -180});
  return along({0.12, 0.97, [](double t) { return 0.048 + 0.122 * std::sin(pi * t); }, 285, 170});
}
}  // namespace

const Palette& palette(ColourMap map) {
  static const Palette sequential = make_palette(ColourMap::sequential), heat = make_palette(ColourMap::heat);
  return map == ColourMap::sequential ? sequential : heat;
}

std::uint8_t palette_index(double value, double low, double high) {
  if (!std::isfinite(value)) return 0;
  const double t = high > low ? std::clamp((value - low) / (high - low), 0.0, 1.0) : 0.5;
  return static_cast<std::uint8_t>(1 + std::lround(254 * t));
}

std::string encode_png(int width, int height, const std::vector<std::uint8_t>& indices,
                       const Palette& palette) {
  require(width > 0 && height > 0 &&
              indices.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height),
          fmt::format("encode_png: {} values do not fill {} x {} pixels", indices.size(), width, height));
  std::vector<png_byte> colours;
  for (const Rgb& c : palette) colours.insert(colours.end(), {c.red, c.green, c.blue});
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB_COLORMAP;
  image.colormap_entries = static_cast<png_uint_32>(palette.size());
  std::string out(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = out.size();
  if (png_image_write_to_memory(&image, out.data(), &size, 0, indices.data(), width, colours.data()) == 0)
    throw Error(fmt::format("encode_png: libpng: {}", image.message));
  out.resize(size);
  return out;
}

}  // namespace sobolev
