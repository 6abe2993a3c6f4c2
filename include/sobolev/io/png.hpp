// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sobolev {

struct Rgb {
  std::uint8_t red = 0, green = 0, blue = 0;
};

/// Entry 0 stands for "no value"; 1 to 255 run from low to high.
using Palette = std::array<Rgb, 256>;

/// sequential: dark blue, green, yellow; heat: black, violet, red, pale yellow. Lightness rises
/// linearly in OKLab and neighbours are equally far apart there, so equal steps of the value look equal, in
/// grey too, and nothing looks like a contour that is not in the data.
/// Source: Ottosson 2020, "A perceptual color space for image processing".
enum class ColourMap { sequential, heat };
const Palette& palette(ColourMap map);

/// Palette entry of a value between low and high (clamped); 0 when it is not finite.
std::uint8_t palette_index(double value, double low, double high);

/// A PNG file of palette indices [height, width], first row on top. ArgumentError on sizes that do not
/// agree.
std::string encode_png(int width, int height, const std::vector<std::uint8_t>& indices,
                       const Palette& palette);

}  // namespace sobolev
