// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/png.hpp"

#include <gtest/gtest.h>
#include <png.h>

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
