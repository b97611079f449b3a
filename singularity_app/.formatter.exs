[
  import_deps: [:ecto, :ecto_sql],
  inputs: ["*.{ex,exs}", "{config,lib,priv,test}/**/*.{ex,exs}"],
  line_length: 110
]
