defmodule Singularity.MigrationsTest do
  use ExUnit.Case, async: true

  @repo_dir Path.expand("../priv/repo", __DIR__)

  defp versions do
    for file <- Path.wildcard("#{@repo_dir}/migrations/*.exs") do
      {version, "_" <> _name} = file |> Path.basename(".exs") |> Integer.parse()
      version
    end
    |> Enum.sort()
  end

  test "add_rag_cache runs first, and no version is used twice" do
    assert hd(versions()) == 20_251_005
    assert versions() == Enum.uniq(versions())
  end

  test "structure.sql records exactly these versions, in this order" do
    recorded =
      Regex.scan(
        ~r/^INSERT INTO public\."schema_migrations" \(version\) VALUES \((\d+)\);$/m,
        File.read!("#{@repo_dir}/structure.sql"),
        capture: :all_but_first
      )

    assert Enum.map(List.flatten(recorded), &String.to_integer/1) == versions()
  end

  test "every constraint that a changeset names exists" do
    structure = File.read!("#{@repo_dir}/structure.sql")

    for schema <- [
          Singularity.CodeFile,
          Singularity.CodeFingerprint,
          Singularity.Embedding,
          Singularity.FrameworkPattern,
          Singularity.LlmSemanticCache,
          Singularity.RagPerformanceStat,
          Singularity.ToolKnowledge
        ],
        constraint <- schema.changeset(struct(schema), %{}).constraints do
      assert structure =~ ~r/(CONSTRAINT|INDEX) #{constraint.constraint} /
    end
  end
end
