// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/report.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <regex>

#include "sobolev/core/error.hpp"
#include "src/io/base64.hpp"
#include "src/io/svg_plot.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Not;

std::vector<double> spread(double low, double high, int n) {
  std::vector<double> out;
  for (int i = 0; i < n; ++i) out.push_back(low + (high - low) * i / (n - 1));
  return out;
}

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t n = 0;
  for (std::size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++n;
  return n;
}

Report report_on(std::vector<std::string> coordinates, std::vector<int> sizes) {
  Report report;
  report.title = "Heat <1> & \"more\"";
  std::size_t points = 1;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    report.coordinates.push_back(coordinates[k]);
    report.axes.push_back(spread(-1, 1, sizes[k]));
    points *= static_cast<std::size_t>(sizes[k]);
  }
  for (std::size_t i = 0; i < points; ++i) {
    report.prediction["u"].push_back(std::sin(0.1 * static_cast<double>(i)));
    report.reference["u"].push_back(std::sin(0.1 * static_cast<double>(i)) + 1e-4);
  }
  for (int i = 0; i < 5000; ++i) {
    report.history.push_back({0.01 * i, std::pow(10, -i / 1000.0), {}});
    if (i % 100 == 0) report.history.back().relative_l2 = std::pow(10, -i / 2000.0);
  }
  report.settings = {{"optimizer", "adam <b>"}};
  report.results = {{"relative L2", "1e-5"}};
  report.source = "u = \"a < b\"";
  return report;
}

/// Every element that is opened is closed, in order.
void expect_well_formed(const std::string& html) {
  std::vector<std::string> open;
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const std::size_t end = html.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = html.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /\n", 1));
    if (tag[0] == '!' || tag.back() == '/' || name == "meta") continue;
    if (tag[0] != '/') {
      open.push_back(name);
    } else {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ("/" + open.back(), tag);
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST(Report, TwoCoordinatesGivePictures) {
  const std::string html = html_report(report_on({"t", "x"}, {11, 17}));
  expect_well_formed(html);
  EXPECT_EQ(count(html, "<figure>"), 5u) << "solution, reference, error, loss, relative L2";
  EXPECT_EQ(count(html, "data:image/png;base64,iVBOR"), 3u);
  EXPECT_EQ(count(html, "<h1>Heat &lt;1&gt; &amp; &quot;more&quot;</h1>"), 1u);
  EXPECT_THAT(html, HasSubstr("adam &lt;b&gt;"));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(html, HasSubstr(">seconds</text>"));
  EXPECT_THAT(html, HasSubstr("u = &quot;a &lt; b&quot;"));
  EXPECT_THAT(html, Not(HasSubstr("http")));
  EXPECT_LT(html.size(), 600000u);
}

TEST(Report, OneCoordinateGivesCurves) {
  const std::string html = html_report(report_on({"x"}, {101}));
  expect_well_formed(html);
  EXPECT_THAT(html, Not(HasSubstr("<image")));
  EXPECT_EQ(count(html, "<figure>"), 4u);
  EXPECT_EQ(count(html, "class=\"curve dashed\""), 1u);
}

TEST(Report, ThreeCoordinatesGiveMiddleSlices) {
  const std::string html = html_report(report_on({"t", "x", "y"}, {3, 5, 7}));
  expect_well_formed(html);
  EXPECT_EQ(count(html, "<image"), 9u);
  EXPECT_THAT(html, HasSubstr("u: solution, y = 0<"));
  EXPECT_THAT(html, HasSubstr("u: solution, t = 0<"));
}

TEST(Report, TimeAndSpaceGivesAPictureAndProfilesAtFiveTimes) {
  Report report = report_on({"t", "x"}, {21, 17});
  report.time = 0;
  const std::string html = html_report(report);
  expect_well_formed(html);
  EXPECT_EQ(count(html, "<image"), 3u);
  for (const char* time : {"t = -1<", "t = -0.5<", "t = 0<", "t = 0.5<", "t = 1<"})
    EXPECT_EQ(count(html, time), 2u) << "in the legends of the solution and of its error: " << time;
  EXPECT_EQ(count(html, "class=\"curve band moment4\""), 1u) << "the reference";
}

TEST(Report, TimeAndTwoSpaceCoordinatesGivePicturesAtFourTimes) {
  Report report = report_on({"x", "t", "y"}, {5, 31, 7});
  report.time = 1;
  const std::string html = html_report(report);
  expect_well_formed(html);
  EXPECT_EQ(count(html, "<image"), 12u);
  for (const char* caption : {"u: solution, t = -1<", "u: solution, t = -0.3333<", "u: solution, t = 0.3333<",
                              "u: reference, t = 1<", "|error| of u, t = 1<"})
    EXPECT_EQ(count(html, caption), 1u) << caption;
}

/// Width and height of the pictures.
std::vector<std::pair<double, double>> shapes(const std::string& html) {
  const std::regex size("<image x=\"[0-9.]+\" y=\"[0-9.]+\" width=\"([0-9.]+)\" height=\"([0-9.]+)\"");
  std::vector<std::pair<double, double>> out;
  for (std::sregex_iterator at(html.begin(), html.end(), size), end; at != end; ++at)
    out.emplace_back(std::stod((*at)[1]), std::stod((*at)[2]));
  return out;
}

TEST(Report, SpaceIsDrawnToScale) {
  Report report = report_on({"x", "y"}, {9, 9});
  for (const auto& [width, height] : shapes(html_report(report))) EXPECT_NEAR(width, height, 0.11);
  for (const double high : {1.0, 5.0}) {  // [−1, 1] × [0, high]
    report.axes[1] = spread(0, high, 9);
    const auto drawn = shapes(html_report(report));
    ASSERT_EQ(drawn.size(), 3u);
    for (const auto& [width, height] : drawn) EXPECT_NEAR(height / width, high / 2, 0.01);
  }
  report.axes[1] = spread(0, 100, 9);
  for (const auto& [width, height] : shapes(html_report(report))) EXPECT_LT(height, width);
  report.axes[1] = spread(-1, 1, 9);
  report.time = 0;  // a second is not as long as a metre
  for (const auto& [width, height] : shapes(html_report(report))) EXPECT_LT(height, 0.9 * width);
}

TEST(Report, DoubtsStandBeforeTheResults) {
  Report report = report_on({"x"}, {9});
  EXPECT_EQ(count(html_report(report), "This answer is doubtful"), 0u);
  report.doubts = {"heat: residual > 1; take more points"};
  const std::string html = html_report(report);
  expect_well_formed(html);
  EXPECT_LT(html.find("This answer is doubtful"), html.find("class=\"results\""));
  EXPECT_NE(count(html, "<li>heat: residual &gt; 1; take more points</li>"), 0u);
}

TEST(Report, NotesStandBelowTheResults) {
  Report report = report_on({"x"}, {9});
  report.notes = {"start and left disagree where t = 0 & x = 0"};
  const std::string html = html_report(report);
  expect_well_formed(html);
  EXPECT_EQ(count(html, "<li>start and left disagree where t = 0 &amp; x = 0</li>"), 1u);
}

TEST(Report, EquationsStandAsWrittenWithTheirResiduals) {
  Report report = report_on({"t", "x"}, {9, 9});
  report.statements = {{"heat", "everywhere", "u_t < u_xx", {}}, {"left", "x = 0", "u = 0", {}}};
  EXPECT_EQ(count(html_report(report), "largest"), 0u);
  report.statements[0].residual = Report::Residual{1.5e-5, 3e-4, 2.25, "t = 1, x = 0.5"};
  report.residual["heat"] = report.prediction["u"];
  const std::string html = html_report(report);
  expect_well_formed(html);
  EXPECT_NE(count(html, "<code>u_t &lt; u_xx</code>"), 0u);
  for (const char* text : {"1.50e-05", "3.00e-04", "2.25e+00", "t&nbsp;=&nbsp;1, x&nbsp;=&nbsp;0.5"})
    EXPECT_EQ(count(html, text), 1u) << text;
  EXPECT_EQ(count(html, "<image"), 4u) << "solution, reference, error, residual";
  EXPECT_NE(count(html, "|residual| of heat<"), 0u);
}

TEST(Report, CurvesEndWhereTheHistoryDoes) {
  Report report = report_on({"x"}, {9});
  report.history.resize(4999);
  report.history.back().relative_l2 = 1e-9;  // the axis goes down to it
  const std::string html = html_report(report);
  EXPECT_EQ(count(html, "<circle class=\"end"), 2u);
  EXPECT_EQ(count(html, ">1e-10</text>"), 1u) << "the scale below it";
}

TEST(Report, LongTextsAreBrokenOrShortened) {
  Report report = report_on({"x"}, {9});
  report.prediction[std::string(200, 'w')] = report.prediction["u"];
  const std::string html = html_report(report);
  expect_well_formed(html);
  EXPECT_NE(count(html, "overflow-wrap: anywhere"), 0u);
  EXPECT_NE(count(html, ">" + std::string(30, 'w') + "…</text>"), 0u);
}

TEST(Report, StandsWhatTrainingMayGive) {
  Report report = report_on({"t", "x"}, {4, 4});
  report.reference.clear();
  expect_well_formed(html_report(report));
  report.prediction["u"].assign(16, std::numeric_limits<double>::quiet_NaN());
  report.reference = report.prediction;
  for (auto& sample : report.history) sample.loss = std::numeric_limits<double>::infinity();
  expect_well_formed(html_report(report));
  report.prediction["u"].assign(16, 3);
  report.reference["u"].assign(16, 3);
  for (auto& sample : report.history) sample.loss = 0;
  report.history.resize(1);
  expect_well_formed(html_report(report));
  EXPECT_THAT(html_report(report), Not(HasSubstr("nan")));
  report.axes = {{0.5}, {0.5}};
  report.prediction["u"].resize(1);
  report.reference["u"].resize(1);
  expect_well_formed(html_report(report));
  Report bare;
  bare.title = "bare";
  expect_well_formed(html_report(bare));
}

TEST(Report, ChecksItsSizes) {
  Report report = report_on({"t", "x"}, {4, 4});
  report.prediction["u"].pop_back();
  EXPECT_THAT(message_of<ArgumentError>([&] { html_report(report); }),
              HasSubstr("u has 15 values, the grid 16 points"));
  report = report_on({"x"}, {4});
  report.axes.clear();
  EXPECT_THROW(html_report(report), ArgumentError);
  report = report_on({"x"}, {4});
  report.time = 1;
  EXPECT_THROW(html_report(report), ArgumentError);
}

TEST(SvgPlot, TicksAreRoundNumbersInsideTheAxis) {
  const auto texts = [](const detail::PlotAxis& axis) {
    std::vector<std::string> out;
    for (const auto& tick : detail::ticks(axis, 5)) out.push_back(tick.second);
    return out;
  };
  EXPECT_THAT(texts({"", -1, 1, false}), ElementsAre("-1", "-0.5", "0", "0.5", "1"));
  EXPECT_THAT(texts({"", 0, 60, false}), ElementsAre("0", "10", "20", "30", "40", "50", "60"));
  EXPECT_THAT(texts({"", 1e-7, 3e-7, false}), ElementsAre("1e-7", "1.5e-7", "2e-7", "2.5e-7", "3e-7"));
  EXPECT_THAT(texts({"", 300.0001, 300.0009, false}),
              ElementsAre("300.0002", "300.0004", "300.0006", "300.0008"));
  EXPECT_THAT(texts({"", 0, 2.5e7, false}), ElementsAre("0", "5e6", "1e7", "1.5e7", "2e7", "2.5e7"));
  EXPECT_THAT(texts({"", 1e-3, 10, true}), ElementsAre("1e-3", "1e-2", "1e-1", "1", "1e1"));
  EXPECT_THAT(texts({"", 4e-8, 3e-7, true}), ElementsAre("5e-8", "1e-7", "2e-7"));
  EXPECT_LE(texts({"", 1e-30, 1e30, true}).size(), 6u);
}

TEST(Base64, Rfc4648Vectors) {
  EXPECT_EQ(detail::base64(""), "");
  EXPECT_EQ(detail::base64("f"), "Zg==");
  EXPECT_EQ(detail::base64("fo"), "Zm8=");
  EXPECT_EQ(detail::base64("foo"), "Zm9v");
  EXPECT_EQ(detail::base64("foob"), "Zm9vYg==");
  EXPECT_EQ(detail::base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(detail::base64("foobar"), "Zm9vYmFy");
}
}  // namespace
}  // namespace sobolev
