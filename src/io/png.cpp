// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/png.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <cmath>

#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
struct Linear {
  double red, green, blue;
  bool in_gamut() const {
    return std::min({red, green, blue}) >= -1e-6 && std::max({red, green, blue}) <= 1 + 1e-6;
  }
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

/// The colour of that lightness and hue with the most chroma, up to `chroma`, that a screen can show.
Rgb colour(double lightness, double chroma, double hue) {
  double low = 0, high = chroma;
  if (!from_oklch(lightness, high, hue).in_gamut()) {
    for (int i = 0; i < 30; ++i) {
      const double middle = 0.5 * (low + high);
      (from_oklch(lightness, middle, hue).in_gamut() ? low : high) = middle;
    }
  } else {
    low = high;
  }
  const Linear c = from_oklch(lightness, low, hue);
  return {encoded(c.red), encoded(c.green), encoded(c.blue)};
}

Palette make_palette(ColourMap map) {
  Palette out;
  out[0] = {128, 128, 128};
  for (int i = 1; i < 256; ++i) {
    const double t = (i - 1) / 254.0;
    out[static_cast<std::size_t>(i)] = map == ColourMap::sequential
                                           ? colour(0.24 + 0.69 * t, 0.15, 285 - 180 * t)
                                           : colour(0.12 + 0.85 * t, 0.19, 285 + 170 * t);
  }
  return out;
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
