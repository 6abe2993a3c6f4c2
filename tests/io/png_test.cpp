// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/png.hpp"

#include <gtest/gtest.h>
#include <png.h>

#include <array>
#include <cmath>

#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
TEST(Png, DecodesToTheColoursGiven) {
  const Palette& colours = palette(ColourMap::sequential);
  constexpr int width = 33, height = 9;
  std::vector<std::uint8_t> indices;
  for (int i = 0; i < width * height; ++i) indices.push_back(static_cast<std::uint8_t>(i * 7));
  const std::string bytes = encode_png(width, height, indices, colours);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_NE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()), 0) << image.message;
  EXPECT_EQ(image.width, 33u);
  EXPECT_EQ(image.height, 9u);
  image.format = PNG_FORMAT_RGB;
  std::vector<png_byte> pixels(PNG_IMAGE_SIZE(image));
  ASSERT_NE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr), 0) << image.message;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    EXPECT_EQ(pixels[3 * i], colours[indices[i]].red);
    EXPECT_EQ(pixels[3 * i + 1], colours[indices[i]].green);
    EXPECT_EQ(pixels[3 * i + 2], colours[indices[i]].blue);
  }
  EXPECT_THROW(encode_png(4, 4, indices, colours), ArgumentError);
  EXPECT_THROW(encode_png(0, 0, {}, colours), ArgumentError);
}

/// CIE lightness from sRGB, by its own definition: an oracle independent of OKLab.
double lightness(Rgb c) {
  const auto linear = [](int v) {
    const double x = v / 255.0;
    return x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
  };
  const double y = 0.2126 * linear(c.red) + 0.7152 * linear(c.green) + 0.0722 * linear(c.blue);
  return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
}

TEST(ColourMaps, LightnessRisesEvenly) {
  for (const ColourMap map : {ColourMap::sequential, ColourMap::heat}) {
    const Palette& colours = palette(map);
    const double whole = lightness(colours[255]) - lightness(colours[1]);
    EXPECT_GT(whole, 70);
    for (std::size_t i = 1; i + 32 < 256; i += 16) {
      const double step = lightness(colours[i + 32]) - lightness(colours[i]);
      EXPECT_GT(step, 0.5 * whole * 32 / 254) << i;
      EXPECT_LT(step, 2 * whole * 32 / 254) << i;
    }
  }
}

/// sRGB to OKLab (Ottosson 2020).
std::array<double, 3> oklab(Rgb c) {
  const auto linear = [](int v) {
    const double x = v / 255.0;
    return x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
  };
  const double r = linear(c.red), g = linear(c.green), b = linear(c.blue);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

double distance(Rgb a, Rgb b) {
  const auto x = oklab(a), y = oklab(b);
  return std::sqrt(std::pow(x[0] - y[0], 2) + std::pow(x[1] - y[1], 2) + std::pow(x[2] - y[2], 2));
}

/// A step much longer than its neighbours is an edge in the picture of a smooth field, and so is a sudden
/// turn of the colours' path. Steps of four entries, because eight bits round the colours.
TEST(ColourMaps, NeighboursAreEquallyFarApart) {
  for (const ColourMap map : {ColourMap::sequential, ColourMap::heat}) {
    const Palette& colours = palette(map);
    constexpr std::size_t step = 4;
    double mean = 0;
    for (std::size_t i = 1; i + step < 256; ++i) mean += distance(colours[i], colours[i + step]) / 251;
    for (std::size_t i = 1; i + step < 256; ++i)
      EXPECT_NEAR(distance(colours[i], colours[i + step]), mean, 0.25 * mean) << i;
    for (std::size_t i = 1; i + 4 * step < 256; ++i)  // two steps of eight in a row go nearly straight on
      EXPECT_GT(distance(colours[i], colours[i + 4 * step]),
                0.97 * (distance(colours[i], colours[i + 2 * step]) +
                        distance(colours[i + 2 * step], colours[i + 4 * step])))
          << i;
  }
}

TEST(ColourMaps, IndexClampsAndMarksWhatIsNoNumber) {
  EXPECT_EQ(palette_index(0, 0, 1), 1);
  EXPECT_EQ(palette_index(1, 0, 1), 255);
  EXPECT_EQ(palette_index(0.5, 0, 1), 128);
  EXPECT_EQ(palette_index(-7, 0, 1), 1);
  EXPECT_EQ(palette_index(7, 0, 1), 255);
  EXPECT_EQ(palette_index(NAN, 0, 1), 0);
  EXPECT_EQ(palette_index(3, 3, 3), 128);
}
}  // namespace
}  // namespace sobolev
