"""Datasets in and out: COCO, PNG, WebDataset, Hugging Face's image folders, and the published SAOM layout."""
