// SPDX-License-Identifier: Apache-2.0
// Files as h5py, SciPy and NumPy write them (tests/io/samples/make.py).
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "sobolev/core/error.hpp"
#include "sobolev/io/array_file.hpp"
#include "tests/io/array_files.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using testing::all_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::product;
using testing::rows_of;
using testing::samples;
using Shape = std::vector<std::size_t>;

ArrayFile open(const std::string& name) { return ArrayFile(SOBOLEV_SOURCE_DIR "/tests/io/samples/" + name); }

std::vector<std::string> names(const ArrayFile& file) {
  std::vector<std::string> out;
  for (const ArrayInfo& array : file.arrays()) out.push_back(array.name);
  return out;
}

/// The k-th array: whole, as float, and every row on its own, from the last to the first.
void expect_samples(const ArrayFile& file, const std::string& name, std::size_t k, const Shape& shape,
                    const std::string& type = "float32") {
  const ArrayInfo& info = file.array(name);
  EXPECT_EQ(info.name, name);
  EXPECT_EQ(info.shape, shape) << name;
  EXPECT_EQ(info.type, type) << name;
  const std::vector<double> want = samples(k, shape);
  EXPECT_EQ(all_of(file, name), want) << name;
  EXPECT_EQ(all_of<float>(file, name), std::vector<float>(want.begin(), want.end())) << name;
  const std::size_t row = product(shape, 1);
  for (std::size_t r = shape[0]; r-- > 0;)
    EXPECT_EQ(rows_of(file, name, r, 1),
              std::vector<double>(want.begin() + long(r * row), want.begin() + long((r + 1) * row)))
        << name << " row " << r;
  const std::size_t middle = shape[0] / 2;
  EXPECT_EQ(rows_of(file, name, 1, middle),
            std::vector<double>(want.begin() + long(row), want.begin() + long((1 + middle) * row)))
      << name;
}

TEST(ArrayFileSamples, PdebenchWithOneTensor) {
  const ArrayFile file = open("pdebench_tensor.hdf5");
  EXPECT_THAT(names(file), ElementsAre("t-coordinate", "tensor", "x-coordinate"));
  expect_samples(file, "tensor", 0, {6, 3, 64});  // gzip, shuffle, fletcher32
  expect_samples(file, "x-coordinate", 1, {64}, "float64");
  expect_samples(file, "t-coordinate", 2, {4}, "float64");
  EXPECT_EQ(std::get<double>(file.attributes().at("beta")), 0.1);
  EXPECT_EQ(file.attributes().size(), 1u);
  EXPECT_TRUE(file.attributes("tensor").empty());
}

TEST(ArrayFileSamples, PdebenchWithSeveralFields) {
  const ArrayFile file = open("pdebench_fields.hdf5");
  EXPECT_THAT(names(file), ElementsAre("Vx", "Vy", "density", "pressure"));
  for (std::size_t k = 0; k < 4; ++k) expect_samples(file, names(file)[k], k, {3, 2, 4, 5});
  const Attributes found = file.attributes();
  EXPECT_EQ(std::get<double>(found.at("eta")), 0.01);
  EXPECT_EQ(std::get<double>(found.at("M")), 0.5);
}

TEST(ArrayFileSamples, PdebenchWithAGroupForEachSample) {
  const ArrayFile file = open("pdebench_groups.h5");
  EXPECT_THAT(names(file), ElementsAre("0000/data", "0000/grid/t", "0000/grid/x", "0001/data", "0001/grid/t",
                                       "0001/grid/x"));
  for (std::size_t k = 0; k < 2; ++k) {
    const std::string group = k == 0 ? "0000" : "0001";
    expect_samples(file, group + "/data", k, {5, 40, 2});  // LZF, the second shuffled before
    expect_samples(file, group + "/grid/x", 2, {40});
    EXPECT_THAT(std::get<std::string>(file.attributes(group).at("config")), HasSubstr("seed: \"0\"\n"));
  }
  EXPECT_TRUE(file.contains("0001/grid/x"));
  EXPECT_FALSE(file.contains("0001"));
  EXPECT_THAT(message_of<FileError>([&] { file.array("0001"); }),
              AllOf(HasSubstr("pdebench_groups.h5"), HasSubstr("is a group, whose arrays are named 0001/")));
}

TEST(ArrayFileSamples, TheWell) {
  const ArrayFile file = open("the_well.hdf5");
  expect_samples(file, "t0_fields/pressure", 0, {2, 3, 4, 5});
  expect_samples(file, "t1_fields/velocity", 1, {2, 3, 4, 5, 2});
  expect_samples(file, "t2_fields/stress", 2, {2, 3, 4, 5, 2, 2});
  expect_samples(file, "dimensions/y", 2, {5});
  using Texts = std::vector<std::string>;
  EXPECT_EQ(std::get<Texts>(file.attributes("dimensions").at("spatial_dims")), (Texts{"x", "y"}));
  EXPECT_EQ(std::get<Texts>(file.attributes("t1_fields").at("field_names")), Texts{"velocity"});
  EXPECT_EQ(std::get<std::vector<double>>(file.attributes("t1_fields/velocity").at("dim_varying")),
            (std::vector<double>{1, 1}));
  EXPECT_EQ(std::get<double>(file.attributes("dimensions/time").at("time_varying")), 1);
  EXPECT_EQ(std::get<double>(file.attributes("dimensions/x").at("time_varying")), 0);
  const Attributes boundary = file.attributes("boundary_conditions/x_periodic");
  EXPECT_EQ(std::get<std::string>(boundary.at("bc_type")), "PERIODIC");
  EXPECT_TRUE(std::get<std::vector<double>>(boundary.at("associated_fields")).empty());
  EXPECT_EQ(file.array("boundary_conditions/x_periodic/mask").type, "bool");
  EXPECT_EQ(all_of(file, "boundary_conditions/x_periodic/mask"), (std::vector<double>{1, 0, 0, 1}));
  EXPECT_EQ(all_of(file, "scalars/nu"), std::vector<double>{0.5});
  EXPECT_EQ(file.array("scalars/nu").shape, Shape{});
}

/// What numpy's astype makes of the sample: integers are cut, unsigned ones wrap round.
double as_type(double value, const std::string& type) {
  if (type.find("float") != std::string::npos) return value;
  const auto whole = static_cast<std::int64_t>(value);
  if (type == "uint8") return double(std::uint8_t(whole));
  if (type == "uint16") return double(std::uint16_t(whole));
  if (type == "uint32") return double(std::uint32_t(whole));
  if (type == "uint64") return double(std::uint64_t(whole));
  return double(whole);
}

void expect_typed(const ArrayFile& file, const std::string& name, std::size_t k, const std::string& type) {
  EXPECT_EQ(file.array(name).type, type) << name;
  std::vector<double> want = samples(k, {3, 5});
  for (double& value : want) value = as_type(value, type);
  EXPECT_EQ(all_of(file, name), want) << name;
  EXPECT_EQ(rows_of(file, name, 1, 1), std::vector<double>(want.begin() + 5, want.begin() + 10)) << name;
  EXPECT_EQ(all_of<float>(file, name), std::vector<float>(want.begin(), want.end())) << name;
}

TEST(ArrayFileSamples, TypesOfHdf5) {
  const ArrayFile file = open("types.h5");  // with 1024 bytes of something else before it
  const std::vector<std::pair<std::string, std::string>> types = {
      {"<f2", "float16"}, {">f2", "float16"}, {"<f4", "float32"}, {">f4", "float32"}, {"<f8", "float64"},
      {">f8", "float64"}, {"i1", "int8"},     {"<i2", "int16"},   {">i2", "int16"},   {"<i4", "int32"},
      {">i4", "int32"},   {"<i8", "int64"},   {">i8", "int64"},   {"u1", "uint8"},    {"<u2", "uint16"},
      {"<u4", "uint32"},  {">u8", "uint64"}};
  for (std::size_t k = 0; k < types.size(); ++k) expect_typed(file, types[k].first, k, types[k].second);
  std::vector<double> truths = samples(0, {3, 5});
  for (double& value : truths) value = value > 0 ? 1 : 0;
  EXPECT_EQ(all_of(file, "bool"), truths);
  EXPECT_EQ(file.array("bool").type, "bool");
  EXPECT_EQ(file.array("long double").type, "float80");
  EXPECT_EQ(all_of(file, "long double"), samples(0, {3, 5}));
  EXPECT_EQ(all_of(file, "word"), (std::vector<double>{0, 2, 1, 1}));
  EXPECT_EQ(all_of(file, "scalar"), std::vector<double>{2.5});
  EXPECT_EQ(file.array("nothing").shape, (Shape{0, 5}));
  EXPECT_TRUE(all_of(file, "nothing").empty());
}

TEST(ArrayFileSamples, WhatHdf5HasBesideNumbers) {
  const ArrayFile file = open("types.h5");
  for (const auto& [name, what] :
       std::map<std::string, std::string>{{"complex", "an array of complex numbers"},
                                          {"text", "is text"},
                                          {"records", "an array of records"},
                                          {"null", "without a shape"},
                                          {"lists", "an array of lists"}}) {
    EXPECT_FALSE(file.contains(name));
    EXPECT_THAT(message_of<FileError>([&, which = name] { file.array(which); }),
                AllOf(HasSubstr(name + " of "), HasSubstr("types.h5"), HasSubstr(what)));
  }
}

TEST(ArrayFileSamples, AttributesOfHdf5) {
  const Attributes found = open("types.h5").attributes("scalar");
  const auto number = [&](const char* key) { return std::get<double>(found.at(key)); };
  EXPECT_EQ(number("half"), 0.5);
  EXPECT_EQ(number("large"), 0x1p40);
  EXPECT_EQ(number("minus"), -3);
  EXPECT_EQ(number("big"), 1.5);
  EXPECT_EQ(number("yes"), 1);
  using Texts = std::vector<std::string>;
  using Numbers = std::vector<double>;
  EXPECT_EQ(std::get<Texts>(found.at("texts")), (Texts{"one", "zwölf"}));
  EXPECT_EQ(std::get<Texts>(found.at("several")), (Texts{"a", "bcd"}));
  EXPECT_EQ(std::get<Numbers>(found.at("numbers")), (Numbers{0, 1, 2}));
  EXPECT_EQ(std::get<Numbers>(found.at("truths")), (Numbers{1, 0}));
  EXPECT_EQ(std::get<Numbers>(found.at("one")), Numbers{4});
  EXPECT_EQ(std::get<std::string>(found.at("fixed")), "fixed");
  EXPECT_EQ(std::get<std::string>(found.at("variable")), "of any length, ö");
  EXPECT_EQ(found.size(), 12u) << "the complex number is left out";
}

class MatlabSamples : public ::testing::TestWithParam<const char*> {};

TEST_P(MatlabSamples, Variables) {
  const ArrayFile file = open(GetParam());
  expect_samples(file, "a", 0, {4, 5}, "float64");
  expect_samples(file, "u", 1, {4, 3, 2}, "float64");
  expect_samples(file, "single", 2, {6, 2});
  EXPECT_EQ(file.array("whole").type, "int32");
  std::vector<double> whole = samples(3, {3, 3});
  for (double& value : whole) value = std::trunc(value);
  EXPECT_EQ(all_of(file, "whole"), whole);
  EXPECT_EQ(file.array("yes").type, "bool");
  std::vector<double> truths = samples(0, {2, 5});
  for (double& value : truths) value = value > 0 ? 1 : 0;
  EXPECT_EQ(all_of(file, "yes"), truths);
  EXPECT_EQ(file.array("visc").shape, (Shape{1, 1}));
  EXPECT_EQ(all_of(file, "visc"), std::vector<double>{0.25});
  EXPECT_THAT(message_of<FileError>([&] { file.array("name"); }), HasSubstr("is text"));
}
INSTANTIATE_TEST_SUITE_P(Files, MatlabSamples, ::testing::Values("v5.mat", "v5_compressed.mat", "v73.mat"));

TEST(ArrayFileSamples, WhatMatlabHasBesideNumbers) {
  for (const char* name : {"v5.mat", "v5_compressed.mat"}) {
    const ArrayFile file = open(name);
    EXPECT_THAT(message_of<FileError>([&] { file.array("cells"); }), HasSubstr("a cell array"));
    EXPECT_THAT(message_of<FileError>([&] { file.array("record"); }), HasSubstr("a struct"));
    EXPECT_THAT(message_of<FileError>([&] { file.array("z"); }), HasSubstr("complex numbers"));
    EXPECT_THAT(std::get<std::string>(file.attributes().at("header")), HasSubstr("MATLAB 5.0 MAT-file"));
  }
  const ArrayFile file = open("v73.mat");
  EXPECT_THAT(names(file), ElementsAre("a", "record/x", "single", "u", "visc", "whole", "yes"));
  EXPECT_THAT(message_of<FileError>([&] { file.array("empty"); }), HasSubstr("an empty array"));
}

TEST(ArrayFileSamples, NumpyArchives) {
  for (const char* path : {"numpy.npz", "numpy_compressed.npz"}) {
    const ArrayFile file = open(path);
    const std::vector<std::pair<std::string, std::string>> types = {{"f4", "float32"}, {"big f8", "float64"},
                                                                    {"f2", "float16"}, {"i1", "int8"},
                                                                    {"u2", "uint16"},  {"big i4", "int32"}};
    for (std::size_t k = 0; k < types.size(); ++k) expect_typed(file, types[k].first, k, types[k].second);
    expect_samples(file, "columns", 0, {4, 3, 2}, "float64");
    EXPECT_EQ(file.array("yes").type, "bool");
    EXPECT_EQ(file.array("one").shape, Shape{});
    EXPECT_EQ(all_of(file, "one"), std::vector<double>{2.5});
    EXPECT_EQ(std::get<double>(file.attributes().at("nu")), 0.25);
    EXPECT_EQ(std::get<std::string>(file.attributes("one").at("unit")), "m/s");
    EXPECT_EQ(file.arrays().size(), 9u);
    EXPECT_THAT(message_of<FileError>([&] { file.array("text"); }), HasSubstr("is text (<U5)"));
    EXPECT_THAT(message_of<FileError>([&] { file.array("complex"); }), HasSubstr("complex numbers (<c16)"));
    EXPECT_THAT(message_of<FileError>([&] { file.array("records"); }), HasSubstr("an array of records"));
  }
}
}  // namespace
}  // namespace sobolev
