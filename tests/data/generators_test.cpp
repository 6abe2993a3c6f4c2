// SPDX-License-Identifier: Apache-2.0
// What all recipes have in common: reproducibility, options, errors, files.
#include "sobolev/data/generators.hpp"

#include <gmock/gmock.h>

#include <map>
#include <vector>

#include "sobolev/core/error.hpp"
#include "src/io/sha256.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;

using Samples = std::vector<std::vector<double>>;  // per array

Samples samples_of(const Generator& generator, std::uint64_t seed, std::uint64_t first, std::size_t count,
                   int threads = 1) {
  Samples out;
  std::vector<View<double, 2>> rows;
  for (const auto& array : generator.arrays()) out.emplace_back(count * array.values());
  for (std::size_t i = 0; i < out.size(); ++i)
    rows.emplace_back(out[i].data(), count, generator.arrays()[i].values());
  EXPECT_TRUE(generate(Cpu(threads), generator, seed, first, rows));
  return out;
}

/// Quick ones of each.
const std::vector<std::pair<std::string, std::vector<std::string>>> quick{
    {"darcy", {"grid=19"}},
    {"darcy_rough", {"grid=20"}},
    {"burgers", {"grid=33", "tolerance=1e-4", "resolution=1024"}},
    {"navier_stokes", {"grid=12", "resolution=24", "end=2"}},
    {"advection", {"grid=40", "steps=3"}},
    {"diffusion_sorption", {"grid=32", "steps=4"}},
    {"reaction_diffusion", {"grid=10", "steps=3", "end=0.3"}},
    {"shallow_water", {"grid=32", "steps=2", "end=0.2"}},
    {"antiderivative", {"grid=30", "aligned=false", "places=7"}},
};

TEST(Generators, ASampleIsTheSameWhateverElseIsMade) {
  EXPECT_EQ(quick.size(), recipes().size());
  for (const auto& [name, assignments] : quick) {
    const auto generator = make_generator(name, assignments);
    const Samples all = samples_of(*generator, 5, 0, 5), threads = samples_of(*generator, 5, 0, 5, 3);
    const Samples third = samples_of(*generator, 5, 3, 1), other = samples_of(*generator, 6, 3, 1);
    EXPECT_EQ(all, threads) << name;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::size_t size = generator->arrays()[i].values();
      const std::vector<double> part(all[i].begin() + std::ptrdiff_t(3 * size),
                                     all[i].begin() + std::ptrdiff_t(4 * size));
      EXPECT_EQ(part, third[i]) << name;
      EXPECT_NE(part, other[i]) << name;
      EXPECT_NE(part, std::vector<double>(all[i].begin(), all[i].begin() + std::ptrdiff_t(size))) << name;
    }
  }
}

TEST(Generators, DefaultsAreThePublishedSizes) {
  const auto shapes = [](const std::string& name, const std::vector<std::string>& set = {}) {
    std::map<std::string, std::vector<std::size_t>> out;
    const auto generator = make_generator(name, set);
    for (const auto& array : generator->arrays()) out[array.name] = array.shape;
    return out;
  };
  using Shapes = std::map<std::string, std::vector<std::size_t>>;
  EXPECT_EQ(shapes("darcy"), (Shapes{{"coeff", {421, 421}}, {"sol", {421, 421}}}));
  EXPECT_EQ(shapes("darcy_rough"), (Shapes{{"coeff", {512, 512}}, {"sol", {512, 512}}}));
  EXPECT_EQ(shapes("darcy", {"layout=pdebench", "grid=128"}),
            (Shapes{{"nu", {128, 128}}, {"tensor", {1, 128, 128}}}));
  EXPECT_EQ(shapes("burgers"), (Shapes{{"a", {8192}}, {"u", {8192}}}));
  EXPECT_EQ(shapes("burgers", {"times=0.5,1", "grid=64"}), (Shapes{{"a", {64}}, {"u", {2, 64}}}));
  EXPECT_EQ(shapes("burgers", {"steps=4", "grid=64"}), (Shapes{{"a", {64}}, {"u", {5, 64}}}));
  EXPECT_EQ(shapes("burgers", {"times=0.5,1", "grid=64", "layout=pdebench"}), (Shapes{{"tensor", {3, 64}}}));
  EXPECT_EQ(shapes("navier_stokes"), (Shapes{{"a", {64, 64}}, {"u", {50, 64, 64}}}));
  EXPECT_EQ(shapes("advection"), (Shapes{{"tensor", {201, 1024}}}));
  EXPECT_EQ(shapes("diffusion_sorption"), (Shapes{{"tensor", {101, 1024}}}));
  EXPECT_EQ(shapes("reaction_diffusion"), (Shapes{{"tensor", {101, 128, 128, 2}}}));
  EXPECT_EQ(shapes("shallow_water"), (Shapes{{"tensor", {101, 128, 128, 1}}}));
  EXPECT_EQ(shapes("antiderivative"), (Shapes{{"u", {100}}, {"s", {100}}}));
  EXPECT_EQ(shapes("antiderivative", {"aligned=false"}), (Shapes{{"u", {100}}, {"y", {100}}, {"s", {100}}}));
}

TEST(Generators, EachDefaultIsAValueOfItsOption) {
  for (const RecipeDescription& recipe : recipes())
    for (const auto& option : recipe.options) {
      const auto generator = make_generator(recipe.name, {option.name + "=" + option.value});
      EXPECT_TRUE(generator->options().contains(option.name)) << recipe.name << ' ' << option.name;
      EXPECT_FALSE(option.text.empty() || option.range.empty()) << option.name;
      EXPECT_THAT(message_of<ArgumentError>([&] { make_generator(recipe.name, {option.name + "=x,"}); }),
                  AllOf(HasSubstr(recipe.name + ": " + option.name + " is \"x,\""), HasSubstr(option.range)));
    }
}

TEST(Generators, ErrorsSayWhatThereIs) {
  const auto message = [](const std::string& name, const std::vector<std::string>& set = {}) {
    return message_of<ArgumentError>([&] { make_generator(name, set); });
  };
  EXPECT_THAT(message("darsy"), AllOf(HasSubstr("did you mean darcy?"), HasSubstr("navier_stokes")));
  EXPECT_THAT(message("burgers", {"nuu=1"}),
              AllOf(HasSubstr("no option nuu"), HasSubstr("nu"), HasSubstr("tolerance")));
  EXPECT_THAT(message("burgers", {"nu"}), HasSubstr("key=value"));
  EXPECT_THAT(message("burgers", {"times=1,0.5"}), HasSubstr("ascending"));
  EXPECT_THAT(message("burgers", {"times=0"}), HasSubstr("above 0"));
  EXPECT_THAT(message("burgers", {"times=0.5", "steps=2"}), HasSubstr("either times or steps"));
  EXPECT_THAT(message("darcy", {"grid=2"}), HasSubstr("a whole number from 3 to 8192"));
  EXPECT_THAT(message("darcy", {"points=corners"}), HasSubstr("cells or nodes"));
  EXPECT_THAT(message("navier_stokes", {"end=1", "interval=2"}), HasSubstr("0.5 times"));
  BurgersOptions options;
  options.nu = -1;
  EXPECT_THAT(message_of<ArgumentError>([&] { make_generator(options); }), HasSubstr("nu is -1"));
  options.nu = std::nan("");
  EXPECT_THAT(message_of<ArgumentError>([&] { make_generator(options); }), HasSubstr("nu is nan"));
}

TEST(Generators, WhatFailsNamesItsSample) {
  const auto generator = make_generator("burgers", {"nu=1e-4", "resolution=64", "grid=8"});
  EXPECT_THAT(message_of<ArgumentError>([&] { samples_of(*generator, 3, 7, 1); }),
              AllOf(HasSubstr("sample 7 of seed 3"), HasSubstr("do not resolve")));
}

TEST(Generators, WhatTheCallersFunctionThrowsComesBack) {
  const auto generator = make_generator("antiderivative");
  std::vector<double> u(4 * 100), s(4 * 100);
  const std::vector<View<double, 2>> rows{View<double, 2>(u.data(), 4, 100),
                                          View<double, 2>(s.data(), 4, 100)};
  GenerateControl control;
  control.on_sample = [](std::size_t) { throw std::runtime_error("enough"); };
  EXPECT_THAT([&] { generate(Cpu(3), *generator, 0, 0, rows, control); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("enough")));
}

TEST(Generators, ViewsMustFit) {
  const auto generator = make_generator("burgers", {"grid=8"});
  std::vector<double> room(16);
  const std::vector<View<double, 2>> one{View<double, 2>(room.data(), 1, 8)},
      wrong{View<double, 2>(room.data(), 1, 8), View<double, 2>(room.data(), 1, 7)};
  EXPECT_THROW(generate(Cpu(1), *generator, 0, 0, one), ArgumentError);
  EXPECT_THROW(generate(Cpu(1), *generator, 0, 0, wrong), ArgumentError);
}

TEST(Generators, AFileHasAllThatMadeIt) {
  const testing::TemporaryFolder folder;
  const auto generator = make_generator("burgers", {"grid=16", "nu=0.2", "times=0.5,1"});
  for (const bool single : {false, true})
    for (const std::string extension : {".h5", ".npz"}) {
      const std::filesystem::path path = folder / ("b" + extension);
      WriteSamplesOptions options;
      options.samples = 3;
      options.seed = 9;
      options.single = single;
      std::size_t seen = 0;
      options.control.on_sample = [&](std::size_t n) { seen = n; };
      const WrittenSamples written = write_samples(Cpu(2), *generator, path, options);
      ASSERT_TRUE(written.whole);
      EXPECT_EQ(seen, 3u);
      const Samples want = samples_of(*generator, 9, 0, 3);
      const ArrayFile file(path);
      EXPECT_EQ(file.array("a").shape, (std::vector<std::size_t>{3, 16}));
      EXPECT_EQ(file.array("u").shape, (std::vector<std::size_t>{3, 2, 16}));
      EXPECT_EQ(file.array("u").type, single ? "float32" : "float64");
      std::vector<double> u(3 * 32), t(2);
      file.read<double>("u", 0, View<double, 2>(u.data(), 3, 32));
      file.read<double>("t", 0, View<double, 2>(t.data(), 2, 1));
      EXPECT_EQ(t, (std::vector<double>{0.5, 1}));
      detail::Sha256 hash;
      for (std::size_t n = 0; n < 3; ++n)
        for (std::size_t i = 0; i < 2; ++i) {
          const std::size_t size = i == 0 ? 16 : 32;
          if (single) {
            const std::vector<float> part(want[i].begin() + std::ptrdiff_t(n * size),
                                          want[i].begin() + std::ptrdiff_t((n + 1) * size));
            hash.add(part.data(), size * sizeof(float));
          } else {
            hash.add(want[i].data() + n * size, size * sizeof(double));
          }
        }
      EXPECT_EQ(written.sha256, hash.finish());
      for (std::size_t i = 0; i < u.size(); ++i) EXPECT_EQ(u[i], single ? float(want[1][i]) : want[1][i]);
      const Attributes notes = file.attributes();
      EXPECT_EQ(std::get<std::string>(notes.at("generator")), "burgers");
      EXPECT_EQ(std::get<std::string>(notes.at("sha256")), written.sha256);
      EXPECT_EQ(std::get<double>(notes.at("seed")), 9);
      EXPECT_EQ(std::get<double>(notes.at("nu")), 0.2);
      EXPECT_TRUE(notes.contains("version"));
    }
  EXPECT_EQ(folder.entries(), 2u);
}

TEST(Generators, AStopLeavesNoFile) {
  const testing::TemporaryFolder folder;
  std::atomic<bool> stop = false;
  WriteSamplesOptions options;
  options.samples = 50;
  options.control.stop = &stop;
  options.control.on_sample = [&](std::size_t) { stop = true; };
  const auto generator = make_generator("burgers", {"grid=16"});
  EXPECT_FALSE(write_samples(Cpu(1), *generator, folder / "b.npz", options).whole);
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Generators, WhatWillNotFitIsSaidBeforeTheWork) {
  const testing::TemporaryFolder folder;
  WriteSamplesOptions options;
  options.samples = 100'000'000;
  EXPECT_THAT(message_of<FileError>(
                  [&] { write_samples(Cpu(1), *make_generator("darcy"), folder / "d.npz", options); }),
              HasSubstr("GB are free there"));
  options.samples = 1;
  EXPECT_THAT(message_of<OutOfMemory>([&] {
                write_samples(Cpu(1), *make_generator("navier_stokes", {"grid=8192", "end=100000"}),
                              folder / "n.npz", options);
              }),
              AllOf(HasSubstr("GB of memory"), HasSubstr("smaller grid")));
  EXPECT_THROW(write_samples(Cpu(1), *make_generator("darcy"), folder / "none" / "d.txt", options),
               FileError);
}

TEST(Sha256, HasTheDigestsOfTheStandard) {
  const auto digest = [](const std::string& text) {
    detail::Sha256 hash;
    for (std::size_t at = 0; at < text.size(); at += 7)
      hash.add(text.data() + at, std::min<std::size_t>(7, text.size() - at));
    return hash.finish();
  };
  EXPECT_EQ(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(digest(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace sobolev
