# make run, make test, make check. The first call sets up .venv, and so does a change of setup.cfg.
# make weights DATA=path of FER2013 [VOTES=path of FER+'s fer2013new.csv] rebuilds both networks.
# Another interpreter: rm -r .venv; make run PYTHON=python3.13
# All paths are relative, since make cannot quote a folder with a space in its name.

python = .venv/bin/python
DATA = data/fer2013.csv
VOTES =

.PHONY: run test test-gpu check weights

run: .venv/app-installed
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then \
		$(python) -m fer_live; \
	else \
		echo "There is no display to open the window on: analysing the demo instead."; \
		$(python) -m fer_live analyze demo --again --out sessions; \
	fi

test: .venv/dev-installed
	$(python) -m pytest

# On a machine with an NVIDIA GPU; prints a table of latencies. Without a GPU it fails and says what is missing.
test-gpu: .venv/dev-installed
	$(python) -m pip install -qq --editable ".[tensorrt]"
	$(python) -m pytest tests/gpu -m gpu

check: .venv/dev-installed
	$(python) -m ruff check .
	$(python) -m mypy
	.venv/bin/lint-imports

# Both networks: the large one, then again from there with itself as its teacher; then the small one taught by it, and again from
# there; last the large one in int8, and both through the whole chain. VOTES have a say in every run. Hours on a processor, and
# resumed where it was stopped.
# --force, since whoever rebuilds wants what comes out, also where it measures a little less; git has the weights before.
weights: fit = $(python) -m training.fit --data "$(DATA)" $(if $(VOTES),--votes "$(VOTES)") --force
weights: .venv/dev-installed
	$(fit) --model resnet18
	$(fit) --model resnet18 --run runs/resnet18-0-again \
		--init runs/resnet18-0/resnet18.safetensors --teacher runs/resnet18-0/resnet18.safetensors \
		--epochs 30 --learning-rate 0.05
	$(fit) --teacher weights/resnet18.safetensors --epochs 20
	$(fit) --teacher weights/resnet18.safetensors --run runs/mobilevit_xxs-0-again \
		--init runs/mobilevit_xxs-0/mobilevit_xxs.safetensors
	$(python) -m training.quantize --data "$(DATA)" --weights weights/resnet18.onnx
	for model in resnet18 mobilevit_xxs; do \
		$(python) -m training.framing --data "$(DATA)" --chain --weights weights/$$model.onnx --rows 4000 --seed 2 --write-card || exit; \
	done
	$(python) -m training.model_card

.venv/made:
	sh .ci/create-venv
	@touch $@

.venv/app-installed: .venv/made setup.cfg pyproject.toml
	@echo "Installing FER Live into .venv: a minute or two."
	$(python) -m pip install -qq --editable ".[video]"
	sh .ci/system-libraries
	@touch $@

.venv/dev-installed: .venv/app-installed
	@echo "Installing PyTorch and the tools for tests into .venv: some minutes."
	$(python) -m pip install -qq --editable ".[video,live,training,test]"
	sh .ci/test-programs
	@touch $@
