"""The verbs that make a run, or read one."""

import shutil
import sys
import tempfile
from pathlib import Path

from imbclf.cli.parsing import add_verb
from imbclf.errors import InputError


def add_verbs(verbs):
    """Add `train`, `evaluate`, `predict`, `report` and `tsne`."""
    keys = "keys of the configuration, such as training.epochs=20"
    train = add_verb(verbs, "train", _train, "train by a configuration and write a run folder with a report", keys)
    train.add_argument("config", type=Path, metavar="CONFIG", help="YAML file, such as configs/glaucoma.yaml")
    train.add_argument("--resume", action="store_true", help="continue the run that stands in the run folder")
    train.add_argument("--overwrite", action="store_true", help="replace what stands in the run folder")

    _add_verb_of_run(verbs, "evaluate", _evaluate, "predict again with the model of a run; scores, figures, report")

    description = "what a run's model says of images without labels: a CSV, or masks"
    predict = _add_verb_of_run(verbs, "predict", _predict, description)
    predict.add_argument("--input", required=True, type=Path, help="image, folder of images, .csv with paths, or .npz")
    predict.add_argument("--output", type=Path, help="CSV file to write, standard output without it; folder for masks")
    predict.add_argument("--overwrite", action="store_true", help="replace what stands in the output")

    _add_verb_of_run(verbs, "report", _report, "scores, figures and report again from the predictions of a run")

    tsne = _add_verb_of_run(verbs, "tsne", _tsne, "map of a run's features by t-SNE, as a figure and in the report")
    tsne.add_argument("--perplexity", type=float, default=30.0, help="number of neighbours that count (default 30)")
    tsne.add_argument("--seed", type=int, default=0, help="seed of the map (default 0)")
    tsne.add_argument(
        "--points", type=int, default=2000, help="images in the map at most, drawn by class (default 2000)"
    )


def _add_verb_of_run(verbs, name, function, description):
    """The parser of a verb that calls `function(options, run, config)`, in a dry run with a copy of the run folder."""

    def verb(options):
        from imbclf.training.run_folder import RunFolder

        run = RunFolder(options.run)
        config = run.config(options.overrides)
        if options.print_config:
            print(config.to_yaml(), end="")
        elif options.dry_run:
            with tempfile.TemporaryDirectory() as folder:
                function(options, RunFolder(shutil.copytree(run.path, Path(folder, "run"))), config)
            print("dry run: nothing was written")
        else:
            function(options, run, config)

    parser = add_verb(verbs, name, verb, description)
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder")
    return parser


def _train(options):
    from imbclf.training.config import load_config

    config = load_config(options.config, options.overrides)
    if options.print_config:
        print(config.to_yaml(), end="")
        return
    from imbclf.training import dry_run, train

    if options.dry_run:
        dry_run(config)
        return
    _print_outcome(options, train(config, resume=options.resume, overwrite=options.overwrite))


def _evaluate(options, run, config):
    from imbclf.training import evaluate

    _print_outcome(options, evaluate(run.path, config))


def _predict(options, run, config):
    if config.task == "segmentation":
        _predict_masks(options, run, config)
        return
    if options.output and options.output.exists() and not options.overwrite:
        raise InputError(f"{options.output} exists; choose another --output, or pass --overwrite.")
    from imbclf.training import predict_files

    ids, probabilities, class_names = predict_files(run.path, options.input, config)
    predicted = [class_names[k] for k in probabilities.argmax(axis=1)]
    header = ["id", "predicted", *class_names]
    rows = [[i, p, *(f"{v:.6g}" for v in row)] for i, p, row in zip(ids, predicted, probabilities, strict=True)]
    if options.output:
        from imbclf.files import write_table

        if not options.dry_run:
            write_table(options.output, header, rows)
        print(f"{len(rows)} images -> {options.output}", file=sys.stderr)
    else:
        import csv

        csv.writer(sys.stdout, lineterminator="\n").writerows([header, *rows])


def _predict_masks(options, run, config):
    output = options.output
    if output is None:
        raise InputError("A segmentation writes masks: give the folder for them with --output.")
    if output.exists() and (not output.is_dir() or (any(output.iterdir()) and not options.overwrite)):
        raise InputError(f"{output} is not an empty folder; choose another --output, or pass --overwrite.")
    from imbclf.training import predict_files

    written = run / "dry_run" if options.dry_run else output
    rows, class_names = predict_files(run.path, options.input, config, output=written)
    print(f"{'voxels':<32}" + "".join(f"{name:<16}" for name in class_names).rstrip())
    for name, counts in rows:
        print(f"{name:<32}" + "".join(f"{count:<16}" for count in counts).rstrip())
    print(f"{len(rows)} masks -> {output}", file=sys.stderr)


def _report(options, run, config):
    if config.task == "segmentation":
        from imbclf.evaluation import evaluate_segmentation as evaluate_run
        from imbclf.evaluation import write_segmentation_report as write_report
    else:
        from imbclf.evaluation import evaluate_run, write_report
    evaluate_run(run.path, repeats=config.evaluation.bootstrap)
    write_report(run.path)
    print(f"report: {options.run / 'report.html'}")


def _tsne(options, run, config):
    if config.task == "segmentation":
        raise InputError(f"{options.run} is a segmentation, which has no features of whole images to map.")
    from imbclf.evaluation import draw_feature_map, write_report

    drawn = draw_feature_map(run.path, perplexity=options.perplexity, seed=options.seed, points=options.points)
    write_report(run.path)
    print(f"map: {options.run / drawn.relative_to(run.path)}")
    print(f"report: {options.run / 'report.html'}")


def _print_outcome(options, run):
    """The scores on the test split beside the floors, and where the report is."""
    from imbclf.files import read_json

    metrics = read_json(run / "metrics.json")
    if metrics.get("task") == "segmentation":
        _print_segmentation(metrics)
    else:
        _print_classification(metrics)
    if not options.dry_run:
        print(f"report: {(run / 'report.html').resolve()}")


def _print_classification(metrics):
    shown = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "mcc": "MCC", "macro_auc": "macro AUC"}
    columns = {"model": metrics["splits"].get("test"), **metrics["floors"]}
    columns = {name: column for name, column in columns.items() if column}
    print(f"{'test':<20}" + "".join(f"{name:<24}" for name in columns))
    for key, label in shown.items():
        print(
            f"{label:<20}" + "".join(f"{_interval(column['scores'][key]):<24}" for column in columns.values()).rstrip()
        )


def _print_segmentation(metrics):
    judged = metrics["splits"]["test"]
    unit = metrics["unit"]
    shown = {
        "dice": "Dice",
        "hausdorff95": f"HD95 ({unit})",
        "normalized_surface_distance": f"NSD at {metrics['tolerance']:g} {unit}",
    }
    columns = {"mean over classes": judged["mean"], **judged["per_class"]}
    print(f"{judged['n']} test cases".ljust(20) + "".join(f"{name:<24}" for name in columns))
    for key, label in shown.items():
        print(f"{label:<20}" + "".join(f"{_interval(column[key]):<24}" for column in columns.values()).rstrip())
    for name, column in judged["per_class"].items():
        if column["missed"] or column["invented"]:
            print(f"{name}: missed in {column['missed']} cases, invented in {column['invented']}")


def _interval(score):
    if score["value"] is None:
        return "undefined"
    if score["low"] is None:
        return f"{score['value']:.3f}"
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
